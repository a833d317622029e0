import { setTimeout } from 'node:timers/promises'
import { type ClientReadableStream, credentials, InterceptingCall, type Interceptor, Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { createAhead } from '../../../../src/adapters/bigquery/storage/ahead.ts'
import { BigQueryRead, storageService } from './service.ts'

const size = 100_000
const message = { arrow_record_batch: { serialized_record_batch: Buffer.alloc(size) }, row_count: 1 }

/** Messages of 100 kB, 40 of them, of which 300 kB may be given at a time; `come` counts those that the transport has read. */
async function reading() {
  const { address } = await storageService(['s'], () => ({ messages: new Array(40).fill(message) }))
  const client = new BigQueryRead(address, credentials.createInsecure())
  const ahead = createAhead(3 * size, () => size)
  const come = { count: 0 }
  const counting: Interceptor = (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _, next) =>
        next(metadata, {
          onReceiveMessage(received, pass) {
            come.count += 1
            pass(received)
          },
        }),
    })
  const options = { interceptors: [ahead.interceptor, counting] }
  const call = (client.ReadRows as (...args: unknown[]) => ClientReadableStream<unknown>).call(
    client,
    { read_stream: 's', offset: 0 },
    new Metadata(),
    options,
  )
  return { ahead, call, come, close: () => client.close() }
}

test('a stream is read ahead by so many bytes and one message more, until some are worked off', async () => {
  const { ahead, call, come, close } = await reading()
  let read = 0
  for await (const _ of call) {
    read += 1
    if (read === 1 || read === 11) {
      await setTimeout(200)
      expect(come.count).toBe(Math.min(read + 3, 40))
    }
    ahead.done(size)
  }
  expect(read).toBe(40)
  close()
})

test('a call that is cancelled while a message is held ends all the same', async () => {
  const { ahead, call, close } = await reading()
  const ended = new Promise(resolve => call.once('error', resolve))
  call.once('data', () => {
    call.cancel()
    ahead.open()
  })
  expect(await ended).toMatchObject({ code: 1 })
  close()
})
