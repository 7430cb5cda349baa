"""What every endpoint stands on: who asks (authentication), what is said when not (answers), the view itself (views), and
the page that describes all of them (pages). The endpoints are in the rooms' own ``api.py``."""
