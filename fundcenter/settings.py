"""Settings of the centre's back-office. What an installation chooses comes from the environment."""

import os
from datetime import timedelta
from pathlib import Path

import pghistory
from csp.constants import NONE, SELF

from fundcenter import database

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = database.home()
SERVER = database.ensure()

DEMO = os.environ.get("DEMO") == "1"
if DEMO and os.environ.get("DATABASE_URL"):
    raise SystemExit("演示模式（DEMO=1）会公开口令，不能用于 DATABASE_URL 所指的正式数据库。请去掉其中一个。")

DEBUG = False
SECRET_KEY, *SECRET_KEY_FALLBACKS = database.key("django").split(",")
VAULT = database.Keyring("pii", "index", "files")
ALLOWED_HOSTS = os.environ.get("FUNDCENTER_HOSTS", "127.0.0.1,localhost").split(",")
# The first two digits of a member account: the province. JGJ/T 320 leaves the scheme to the centre.
MEMBER_ACCOUNT_PREFIX = os.environ.get("FUNDCENTER_MEMBER_PREFIX", "36")
# Where the public reaches this site, such as https://gjj.example.gov.cn: printed on papers, which outlive the name of the
# day. Without it, the address under which whoever prints sees the site.
PUBLIC_URL = os.environ.get("FUNDCENTER_PUBLIC_URL", "").rstrip("/")
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
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "django_otp",
    "axes",
    "pgtrigger",
    "pghistory",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "fundcenter.office.middleware.SessionLimits",
    "fundcenter.office.middleware.SecondFactorGate",
    "fundcenter.office.middleware.ScopeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
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
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "admin:login"

# Who is asked for six digits after the password: 复核、审批、主任、系统管理; 会计 (accountant) where a centre wants it.
SECOND_FACTOR_ROLES = tuple(
    role for role in os.environ.get("FUNDCENTER_SECOND_FACTOR", "reviewer,approver,manager,admin").split(",") if role
)

# Wrong passwords: so many lock a name, so many an address, for so long. Behind proxies of our own, how many there are.
AXES_FAILURE_LIMIT = int(os.environ.get("FUNDCENTER_LOCKOUT", "5"))
LOCKOUT_ADDRESS_LIMIT = int(os.environ.get("FUNDCENTER_LOCKOUT_ADDRESS", "50"))
AXES_COOLOFF_TIME = timedelta(minutes=int(os.environ.get("FUNDCENTER_LOCKOUT_MINUTES", "15")))
PROXIES = int(os.environ.get("FUNDCENTER_PROXIES", "0"))
AXES_HANDLER = "fundcenter.office.services.signing_in.Lockout"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_LOCKOUT_CALLABLE = "fundcenter.office.services.signing_in.locked_page"
AXES_USERNAME_CALLABLE = "fundcenter.office.services.signing_in.login_key"
AXES_CLIENT_IP_CALLABLE = "fundcenter.office.services.signing_in.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# A change knows its row without an index of its own on every column of it (see office.models.remembered).
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)

# What is larger is checked and posted by the worker (manage.py work), not while the browser waits.
JOB_ROWS = int(os.environ.get("FUNDCENTER_JOB_ROWS", "2000"))
JOB_BYTES = 300_000
# How many large jobs at once: each keeps about one core busy.
JOB_CONCURRENCY = int(os.environ.get("FUNDCENTER_JOB_CONCURRENCY", "2"))

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
# A session ends after so long without a page, and after so long in any case; what ends it besides: User.
SESSION_IDLE_SECONDS = int(os.environ.get("FUNDCENTER_IDLE_MINUTES", "30")) * 60
SESSION_ABSOLUTE_SECONDS = SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Behind the TLS proxy of a real installation; the demo on loopback speaks plain HTTP.
if os.environ.get("FUNDCENTER_HTTPS") == "1":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000

# The API (docs/api.md). An endpoint is an office.api.views.ApiView; a plain one lets nobody in.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": (),
    "DEFAULT_PERMISSION_CLASSES": ("rest_framework.permissions.IsAuthenticated",),
    "DEFAULT_RENDERER_CLASSES": ("rest_framework.renderers.JSONRenderer",),
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
# How many, in how many seconds: see office.services.throttling.
API_ALLOWANCES = {
    "requests": (600, 60),  # of a token; an upload counts ten
    "failures": (20, 600),  # of an address: tokens that are none
}
VERIFY_ALLOWANCE = (60, 600)  # of an address: numbers of papers asked for
SPECTACULAR_SETTINGS = {
    "TITLE": f"{CENTRE_NAME}接口",
    "DESCRIPTION": "上传汇缴清册、查询本机构的单位、职工、明细账和凭证。金额是两位小数的字符串，月份如 2026-03，日期如 2026-03-16。",
    "VERSION": "1",
    "POSTPROCESSING_HOOKS": (),
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": ("rest_framework.authentication.SessionAuthentication",),
    "SERVE_PERMISSIONS": ("rest_framework.permissions.IsAuthenticated",),
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": None,
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "defaultModelsExpandDepth": -1},
    "TAGS": [{"name": "汇缴"}, {"name": "单位与职工"}, {"name": "资金核算"}],
}

# Whatever reports an error shows no variable and nothing posted.
DEFAULT_EXCEPTION_REPORTER_FILTER = "fundcenter.office.middleware.NothingShown"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
