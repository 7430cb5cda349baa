from django.urls import path

from fundcenter.office.admin.site import site

urlpatterns = [path("", site.urls)]
