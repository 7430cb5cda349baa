grant select on banking_bankaccount to fc_app;
grant insert on banking_bankaccount to fc_app;
