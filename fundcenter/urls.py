from django.urls import include, path, re_path

from accounts.contributions import urls as contributions
from accounts.ledger import urls as ledger
from accounts.parties import urls as parties
from fundcenter.office.admin.site import site
from fundcenter.office.api.pages import DescriptionView, ReferenceView
from fundcenter.office.api.views import Nothing
from fundcenter.office.views import verify

api = [
    path("", include(contributions)),
    path("", include(parties)),
    path("", include(ledger)),
    re_path("", Nothing.as_view()),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("api/schema/", site.admin_view(DescriptionView.as_view()), name="api-schema"),
    path("api/", site.admin_view(ReferenceView.as_view(frame=site.each_context)), name="api-reference"),
    path("verify/", verify, name="verify"),
    path("verify/<str:number>/", verify, name="verify"),
    path("", site.urls),
]
