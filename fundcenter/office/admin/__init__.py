from fundcenter.office.admin import jobs as jobs
from fundcenter.office.admin import papers as papers
from fundcenter.office.admin import people as people
from fundcenter.office.admin import tokens as tokens
