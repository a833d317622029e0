import type { IncomingMessage } from 'node:http'
import type { JsonObject } from './json.ts'

/** A request as a route sees it. */
export type Call = {
  readonly method: string
  /** The path without `/bigquery/v2`. */
  readonly path: string
  /** The named parts of the route's path. */
  readonly at: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly incoming: IncomingMessage
  /** Where the client reached this server, e.g. http://127.0.0.1:4242. */
  readonly origin: string
  /** The JSON body; an empty one is {}. */
  json(): Promise<JsonObject>
}

export type Answer = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object
  /** Pieces of JSON text that are ready to send. */
  readonly pieces?: readonly Uint8Array[]
}

export type Handler = (call: Call) => Promise<Answer>
/** `GET /projects/:project/datasets` → handler. A part `:name` stands for one part of the path. */
export type Routes = Readonly<Record<string, Handler>>
