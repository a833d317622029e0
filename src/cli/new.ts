import type { Command } from './command.ts'
import { scaffold } from './scaffold.ts'
import { writeNew } from './write-new.ts'

export const make: Command = {
  name: 'new',
  summary: 'write a new pipeline: schema, fixture, failing test',
  usage: 'NAME',
  help: `Writes a pipeline to start from, under NAME (lower case, words with - between them):

  src/pipelines/NAME.ts          row schemas, source, target, and a transform that returns nothing yet
  fixtures/NAME/first/*.csv      rows of the source, and the rows that must come out
  test/pipelines/NAME.test.ts    red until the transform is written

No file that exists is touched.

Examples
  npm run etl -- new open-cases
  npm run test:watch -- open-cases`,
  options: {},
  words: { least: 1, most: 1 },
  async run({ words, root, out }) {
    const [name = ''] = words
    const files = scaffold(name)
    await writeNew(root, files)
    for (const path of Object.keys(files)) out.line(`wrote ${path}`)
    out.line(`\nNext: npm run test:watch -- ${name}   (red until the transform in src/pipelines/${name}.ts is written)`)
    out.line('Then: npm run etl -- manifest          (adds the job to naisjob.yaml)')
    return 0
  },
}
