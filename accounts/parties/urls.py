from django.urls import path

from accounts.parties.api import EmployersView, EmployerView, MemberLedgerView, MembersView, MemberView

urlpatterns = [
    path("employers", EmployersView.as_view(), name="api-employers"),
    path("employers/<str:number>", EmployerView.as_view(), name="api-employer"),
    path("members", MembersView.as_view(), name="api-members"),
    path("members/<str:number>", MemberView.as_view(), name="api-member"),
    path("members/<str:number>/ledger", MemberLedgerView.as_view(), name="api-member-ledger"),
]
