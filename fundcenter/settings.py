"""Settings of the centre's back-office. What an installation chooses comes from the environment."""

import os
from pathlib import Path

from csp.constants import NONE, SELF

from fundcenter import database

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = database.home()
SERVER = database.ensure()

DEMO = os.environ.get("DEMO") == "1"
if DEMO and os.environ.get("DATABASE_URL"):
    raise SystemExit("演示模式（DEMO=1）会公开口令，不能用于 DATABASE_URL 所指的正式数据库。请去掉其中一个。")

DEBUG = False
SECRET_KEY = database.key("django")
VAULT = {purpose: database.key(purpose) for purpose in ("pii", "index", "files")}
ALLOWED_HOSTS = os.environ.get("FUNDCENTER_HOSTS", "127.0.0.1,localhost").split(",")
# The first two digits of a member account: the province. JGJ/T 320 leaves the scheme to the centre.
MEMBER_ACCOUNT_PREFIX = os.environ.get("FUNDCENTER_MEMBER_PREFIX", "36")
CENTRE_NAME = os.environ.get("FUNDCENTER_CENTRE", "上饶市住房公积金管理中心")

INSTALLED_APPS = [
    "fundcenter.office",
    "accounts.ledger",
    "accounts.banking",
    "accounts.parties",
    "accounts.contributions",
    "demo",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fundcenter.office.middleware.ScopeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "fundcenter.urls"
WSGI_APPLICATION = "fundcenter.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["fundcenter.office.templatetags.office"],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": SERVER.host,
        "PORT": SERVER.port,
        "NAME": SERVER.dbname,
        "USER": SERVER.app_user,
        "PASSWORD": SERVER.app_password,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": SERVER.options,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "office.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "admin:login"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "fundcenter.office.formats"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
FILES_DIR = HOME / "files"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
# Behind the TLS proxy of a real installation; the demo on loopback speaks plain HTTP.
if os.environ.get("FUNDCENTER_HTTPS") == "1":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
