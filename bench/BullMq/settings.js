// One place for what the bench passes in; a missing value stops the process with the name of what to set.
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: ./dev bench sets it for every BullMQ process`);
  return value;
}

export const settings = {
  database: required('DATABASE_URL'),
  redisPort: Number(required('REDIS_PORT')),
  /** 'one': one job runs the four steps; 'four': each step is a job of its own. */
  variant: required('BULLMQ_VARIANT'),
  httpPort: Number(process.env.PORT ?? 0),
  concurrency: Number(process.env.BULLMQ_CONCURRENCY ?? 50),
  poolSize: Number(process.env.PG_POOL ?? 10),
};
