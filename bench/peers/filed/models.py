"""What the file is imported into, as little as does: people by their numbers, and a row a member and month."""

from __future__ import annotations

from django.db import models


class Employer(models.Model):
    number = models.CharField(max_length=40, unique=True)


class Member(models.Model):
    number = models.CharField(max_length=40, unique=True)


class Contribution(models.Model):
    employer = models.ForeignKey(Employer, models.PROTECT)
    month = models.CharField(max_length=7)
    member = models.ForeignKey(Member, models.PROTECT)
    base = models.DecimalField(max_digits=18, decimal_places=2)
    amount_employer = models.DecimalField(max_digits=18, decimal_places=2)
    amount_member = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        unique_together = [("month", "member")]
