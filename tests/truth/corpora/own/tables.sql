-- The tables of these queries. A name in lower case is one that Snowflake stores in upper case.
create table orders (
    id integer, customer_id integer, status varchar, amount decimal(12, 2), ordered_at timestamp, tags varchar[], v json
);
create table returns (id integer, customer_id integer, status varchar, amount decimal(12, 2), ordered_at timestamp);
create table customers (id integer, name varchar, email varchar, country varchar, signed_up_at timestamp, "Mixed Case" integer);
create table items (order_id integer, product_id integer, quantity integer, price decimal(12, 2), loaded_at timestamp);
create table products (product_id integer, name varchar, category varchar, price decimal(12, 2), is_discontinued boolean);
create table prices (product_id integer, valid_from timestamp, list_price decimal(12, 2));
create table employees (id integer, manager_id integer, name varchar);
create table monthly (region varchar, jan integer, feb integer, mar integer, note varchar);
create table one_column (id integer);
