grant select on contributions_contributionrule to fc_app;
grant select, insert, update on contributions_batch, contributions_register to fc_app;
grant select, insert on contributions_registerrow to fc_app;
call office_wall('contributions_batch');
call office_wall('contributions_register');
call office_wall('contributions_registerrow');
