from django.urls import path

from accounts.ledger.api import VoucherView

urlpatterns = [path("vouchers/<int:id>", VoucherView.as_view(), name="api-voucher")]
