import pg from 'pg';
import { settings } from './settings.js';

// Named queries are prepared once per connection: parsing and planning happen on the first use only.
const insertOrder = {
  name: 'insert-order',
  text: `with o as (insert into orders (customer_name, email, premium) values ($1, $2, $3) returning id)
         insert into order_lines (order_id, sku, quantity)
         select o.id, l.sku, l.quantity from o, unnest($4::text[], $5::int[]) as l (sku, quantity)
         returning order_id`,
};

const insertEffect = {
  name: 'insert-effect',
  text: 'insert into effects (order_id, step) values ($1, $2) on conflict do nothing',
};

// Effect row and stock in one statement, so a retried job moves stock once. The rows are locked in the order of their SKU:
// two orders that share two SKUs would otherwise deadlock now and then.
const reserveStock = {
  name: 'reserve-stock',
  text: `with effect as (insert into effects (order_id, step) values ($1, 'inventory') on conflict do nothing returning order_id),
              locked as (select sku from stock where sku = any($2::text[]) and exists (select from effect) order by sku for update)
         update stock s set on_hand = s.on_hand - l.quantity
         from locked join unnest($2::text[], $3::int[]) as l (sku, quantity) using (sku)
         where s.sku = locked.sku`,
};

export function openDatabase() {
  const pool = new pg.Pool({ connectionString: settings.database, max: settings.poolSize });
  return {
    async saveOrder({ customer, lines, premium }) {
      const values = [customer.name, customer.email, premium ?? false, lines.map((l) => l.sku), lines.map((l) => l.quantity)];
      const result = await pool.query({ ...insertOrder, values });
      return result.rows[0].order_id;
    },
    saveEffect: (orderId, step) => pool.query({ ...insertEffect, values: [orderId, step] }),
    reserveStock: (orderId, lines) =>
      pool.query({ ...reserveStock, values: [orderId, lines.map((l) => l.sku), lines.map((l) => l.quantity)] }),
    close: () => pool.end(),
  };
}
