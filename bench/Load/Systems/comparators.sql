-- The tables of the systems we compare with. No foreign keys and small bigint keys: whatever is cheapest for them.
create table orders (
    id bigint generated always as identity primary key,
    customer_name text not null,
    email text not null,
    premium boolean not null,
    created_at timestamptz not null default now()
);
create table order_lines (
    order_id bigint not null,
    sku text not null,
    quantity int not null,
    primary key (order_id, sku)
);
-- One row per (order, step): the durable effect. A second insert of the same one cannot succeed.
create table effects (
    order_id bigint not null,
    step text not null,
    at timestamptz not null default clock_timestamp(),
    primary key (order_id, step)
);
-- Room in each page, so that the many updates of few rows stay on their page (HOT).
create table stock (
    sku text primary key,
    on_hand int not null
) with (fillfactor = 50);
insert into stock select 'SKU-' || lpad(n::text, 4, '0'), 1000000 from generate_series(0, 999) n;
analyze stock;
