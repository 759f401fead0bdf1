export {
  controller,
  pauseTableUpdate,
  progressQuery,
  resumeTableUpdate,
  retryFailedUpdate,
  skipTableUpdate,
} from './controller';
export { ingestTable } from './ingest-table';
