-- The shop for Orders, whose own deployment has made the tables: the same 1,000 articles and quantities as in comparators.sql.
insert into catalogue (sku, name, price_eur, price_usd, price_gbp, vat_rate, sold)
select 'SKU-' || lpad(n::text, 4, '0'), 'Article ' || n, 9.90, 10.90, 8.40, 19, true from generate_series(0, 999) n;
insert into stock (sku, initial, on_hand) select sku, 1000000, 1000000 from catalogue;
analyze catalogue;
analyze stock;
