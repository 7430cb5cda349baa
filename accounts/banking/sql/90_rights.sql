grant select on banking_bankaccount to fc_app;
grant insert on banking_bankaccount to fc_app;
grant select, insert, update on banking_receipt to fc_app;
call office_wall('banking_receipt');
