import { connectionsFile } from './connections-schema';
import { pipelineFile } from './pipeline-schema';
import { section } from './values';

/** A project in one file: a pipeline with the connections and the history that it alone has. */
export const projectFile = section({ ...pipelineFile.shape, ...connectionsFile.shape }).meta({
  title: 'Comporta project',
  description: 'One pipeline with its own connections and its own history, in one file.',
});
