// The job of `rows`, a process of its own: `node bench/publish/job.ts URL ROWS`. Prints its figures as one JSON line.
import { copies, publish } from './pipelines.ts'

const [url = '', count = '0'] = process.argv.slice(2)
const began = performance.now()
const at: Record<string, number> = {}
await publish(url, copies('large'), Number(count), ({ kind }) => {
  at[kind] = (performance.now() - began) / 1000
})
const { staged = 0, audited = 0, published = 0 } = at
const mebibytes = process.resourceUsage().maxRSS / 1024
process.stdout.write(`${JSON.stringify({ staged, audited: audited - staged, published: published - audited, mebibytes })}\n`)
