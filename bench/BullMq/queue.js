import { Queue } from 'bullmq';
import { settings } from './settings.js';

export const queueName = 'orders';
export const steps = ['email', 'inventory', 'invoice', 'warehouse'];

const redis = { host: '127.0.0.1', port: settings.redisPort };

// The production guide: a producer fails fast when Redis is away, a worker waits for it to come back.
export const workerConnection = { ...redis, maxRetriesPerRequest: null };

const jobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: true, // a queue that keeps finished jobs only grows
  removeOnFail: 5000,
};

export function openQueue() {
  return new Queue(queueName, { connection: { ...redis, enableOfflineQueue: false }, defaultJobOptions: jobOptions });
}

/** Queues the work of one stored order: after the commit, so a crash between the two loses it. */
export function enqueue(queue, order) {
  if (settings.variant === 'one') return queue.add('order', order);
  return queue.addBulk(steps.map((step) => ({ name: step, data: order })));
}
