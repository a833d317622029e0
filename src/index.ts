// What a pipeline file imports as 'nais-etl'.
export { bq } from './domain/bq.ts'
export { env } from './domain/env.ts'
export { each, pipeline } from './domain/pipeline.ts'
export { type Row, row } from './domain/row.ts'
export { file, table } from './domain/source.ts'
export { sql } from './domain/sql.ts'
export { dataset } from './domain/target.ts'
export { append, merge, partition, replace } from './domain/write.ts'
