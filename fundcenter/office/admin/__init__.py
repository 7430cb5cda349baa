from fundcenter.office.admin import people as people
