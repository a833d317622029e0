import { EtlError } from '../domain/error.ts'

/**
 * The files of a new pipeline, by path: the pipeline, one fixture case, and a test that is red until its transform is written.
 * @throws EtlError `usage` for a name that can't be a file's, a dataset's and a table's.
 */
export function scaffold(name: string): Readonly<Record<string, string>> {
  refuseUnlessName(name)
  const table = name.replaceAll('-', '_')
  return {
    [`src/pipelines/${name}.ts`]: pipelineText(table),
    [`fixtures/${name}/first/${source}.csv`]:
      'dato,status\n2024-01-30,open\n2024-01-31,open\n2024-01-31,closed\n2024-01-31,open\n',
    [`fixtures/${name}/first/expected.csv`]: 'dato,status,antall\n2024-01-30,open,1\n2024-01-31,closed,1\n2024-01-31,open,2\n',
    [`test/pipelines/${name}.test.ts`]: testText(name),
  }
}

const source = 'saker'

/**
 * Refuses a pipeline's name that can't be a file's, a dataset's and a table's.
 * @throws EtlError `usage`.
 */
export function refuseUnlessName(name: string): void {
  const hint = 'use lower case letters and digits with - between words, such as open-cases'
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new EtlError('usage', `${JSON.stringify(name)} can not be a pipeline's name.`, { hint })
  if (name.length < 2 || name.length > 40)
    throw new EtlError('usage', `${name} has ${name.length} letters: a pipeline's name has 2 to 40.`, { hint })
  if (name.startsWith('datastream-'))
    throw new EtlError('usage', `${name}: datasets datastream_… are landing zones of Datastream.`, {
      hint: 'choose another first word',
    })
}

function pipelineText(table: string): string {
  return `${imported('{ dataset, partition, pipeline, type Row, row, table }', 'nais-etl')}
${imported('* as z', 'zod')}

/** One row of the source: the columns that you read, and no others. */
const Source = row({ dato: z.iso.date(), status: z.string() })

/** One row of the result: how many rows had a status on one date. */
const Result = row({ dato: z.iso.date(), status: z.string(), antall: z.int().positive() }, { key: ['dato', 'status'] })

export default pipeline({
  schedule: '30 6 * * *', // Europe/Oslo
  from: { ${source}: table(Source, 'my-project.my_dataset.my_table') },
  transform: ({ ${source} }) => transform(${source}),
  to: dataset('${table}').table('${table}', Result),
  write: partition('dato'),
})

/** Gets the rows of one date. Write it: the test shows what is missing. */
export function transform(_rows: readonly Row<typeof Source>[]): Row<typeof Result>[] {
  return []
}
`
}

function testText(name: string): string {
  return `${imported('{ testPipeline }', 'nais-etl/testing')}
${imported('pipeline', `../../src/pipelines/${name}.ts`)}

// Each folder under fixtures/${name} is a case:
// rows of the source, and expected.csv, or error.txt for rows that must be refused.
testPipeline(pipeline, '${name}')
`
}

/** A line of import for a generated file. */
export function imported(what: string, path: string): string {
  const quoted = `'${path}'`
  return `import ${what} from ${quoted}`
}
