grant select on contributions_contributionrule to fc_app;
