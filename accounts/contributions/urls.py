from django.urls import path

from accounts.contributions.api import (
    AnnotatedView,
    ConfirmView,
    ProblemsView,
    RegistersView,
    RegisterUploadView,
    SubmitView,
    TemplateView,
    UploadView,
)

urlpatterns = [
    path("uploads/registers", RegisterUploadView.as_view(), name="api-upload-register"),
    path("uploads/<str:number>", UploadView.as_view(), name="api-upload"),
    path("uploads/<str:number>/problems", ProblemsView.as_view(), name="api-upload-problems"),
    path("uploads/<str:number>/registers", RegistersView.as_view(), name="api-upload-registers"),
    path("uploads/<str:number>/annotated", AnnotatedView.as_view(), name="api-upload-annotated"),
    path("uploads/<str:number>/submit", SubmitView.as_view(), name="api-upload-submit"),
    path("uploads/<str:number>/confirm", ConfirmView.as_view(), name="api-upload-confirm"),
    path("employers/<str:number>/template", TemplateView.as_view(), name="api-employer-template"),
]
