// A client that is to be killed: submits the job that standard input tells of, by Google's client, and waits for its end for ever.
import { text } from 'node:stream/consumers'
import { clientOf } from './google.ts'

const { to, job } = JSON.parse(await text(process.stdin)) as {
  to: Parameters<typeof clientOf>[0]
  job: Parameters<ReturnType<typeof clientOf>['createJob']>[0]
}
const [submitted] = await clientOf(to).createJob(job)
await submitted.promise()
setInterval(() => {}, 60_000)
