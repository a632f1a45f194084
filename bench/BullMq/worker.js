import { Worker } from 'bullmq';
import { openDatabase } from './database.js';
import { queueName, steps, workerConnection } from './queue.js';
import { settings } from './settings.js';

const database = openDatabase();

function run(step, order) {
  return step === 'inventory' ? database.reserveStock(order.id, order.lines) : database.saveEffect(order.id, step);
}

// Each step commits for itself: a retry of the one job finds the finished steps' rows and passes over them.
async function runAll(order) {
  for (const step of steps) await run(step, order);
}

const execute = settings.variant === 'one' ? (job) => runAll(job.data) : (job) => run(job.name, job.data);
const worker = new Worker(
  queueName,
  async (job) => { await execute(job); },
  { connection: workerConnection, concurrency: settings.concurrency },
);
worker.on('error', (error) => console.error(error));
worker.on('failed', (job, error) => console.error(`job ${job?.id} failed`, error));

process.on('SIGTERM', async () => {
  await worker.close();
  await database.close();
});
