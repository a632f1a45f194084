import Fastify from 'fastify';
import { openDatabase } from './database.js';
import { enqueue, openQueue } from './queue.js';
import { settings } from './settings.js';

const line = {
  type: 'object',
  required: ['sku', 'quantity'],
  properties: { sku: { type: 'string', pattern: '^[A-Z0-9-]{3,32}$' }, quantity: { type: 'integer', minimum: 1, maximum: 1000 } },
};
const customer = {
  type: 'object',
  required: ['name', 'email'],
  properties: { name: { type: 'string', maxLength: 100 }, email: { type: 'string', maxLength: 254 } },
};
const schema = {
  body: {
    type: 'object',
    required: ['customer', 'lines'],
    properties: { customer, lines: { type: 'array', minItems: 1, maxItems: 100, items: line }, premium: { type: 'boolean' } },
  },
  response: { 202: { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } } },
};

const database = openDatabase();
const queue = openQueue();
const app = Fastify();

app.post('/orders', { schema }, async (request, reply) => {
  const { customer: { email }, lines, premium } = request.body;
  const id = await database.saveOrder(request.body);
  await enqueue(queue, { id, email, premium, lines });
  reply.code(202).header('Location', `/orders/${id}`);
  return { id, status: 'Accepted' };
});
app.get('/health/ready', () => ({ status: 'ready' }));

queue.on('error', (error) => console.error(error));
await queue.waitUntilReady();
await app.listen({ host: '127.0.0.1', port: settings.httpPort });

process.on('SIGTERM', async () => {
  await app.close();
  await queue.close();
  await database.close();
});
