// `npm run bench:publish [-- calls|forty|rows …]`: what a publication costs beside the work itself. Fails where it costs more than it may.
import { calls } from './calls.ts'
import { forty } from './forty.ts'
import { rows } from './rows.ts'
import { startBench } from './server.ts'

const parts = { calls, forty, rows } as const
const named = process.argv.slice(2).filter((name): name is keyof typeof parts => name in parts)
const bench = await startBench()
try {
  for (const name of named.length > 0 ? named : (Object.keys(parts) as (keyof typeof parts)[])) {
    const failure = await parts[name](bench)
    process.stdout.write(`${failure === undefined ? '' : `✘ ${failure}\n`}\n`)
    if (failure !== undefined) process.exitCode = 1
  }
} finally {
  await bench.stop()
}
