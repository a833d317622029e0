import { InterceptingCall, type Interceptor } from '@grpc/grpc-js'

/** Holds a stream's messages back while those that were given are `limit` bytes; one is always given. */
export type Ahead = {
  readonly interceptor: Interceptor
  /** So many bytes are worked off. */
  done(bytes: number): void
  /** Holds nothing back any more: a call that waits for a message can't end. */
  open(): void
}

/** gRPC itself counts messages: it reads 16 ahead, and one may be as large as the service likes. `sizeOf`: a message's, in bytes. */
export function createAhead(limit: number, sizeOf: (message: unknown) => number): Ahead {
  let given = 0
  let held: { readonly size: number; readonly give: () => void } | undefined
  const settle = () => {
    if (held === undefined || (given > 0 && given + held.size > limit)) return
    const { size, give } = held
    held = undefined
    given += size
    give()
  }
  return {
    interceptor: (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata, _, next) =>
          next(metadata, {
            // The next one is asked for when this one was passed on.
            onReceiveMessage(message, pass) {
              held = { size: sizeOf(message), give: () => pass(message) }
              settle()
            },
          }),
      }),
    done(bytes) {
      given -= bytes
      settle()
    },
    open() {
      given = Number.NEGATIVE_INFINITY
      settle()
    },
  }
}
