export { controller, progressQuery } from './controller';
export { ingestTable } from './ingest-table';
