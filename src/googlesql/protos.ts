import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** A method of a gRPC service: its path, and its messages as they go over the wire. */
export type Method = {
  readonly path: string
  write(request: object): Buffer
  read(answer: Buffer): Record<string, unknown>
}

/**
 * Reads a service from the .proto files of a folder; `file` is the one that has it. A message is worked out when it is first sent or received: that
 * happens to few of a thousand, and `@grpc/proto-loader` makes a constructor and descriptors of each, which took a third of a server's start.
 */
export async function loadService(folder: string, file: string, service: string): Promise<(method: string) => Method> {
  // The package is a dev dependency and slow to load.
  const { default: protobuf } = await import('protobufjs')
  protobuf.common('descriptor', descriptor())
  const root = new protobuf.Root()
  const known = new Set<string>()
  const load = (name: string) => {
    if (known.has(name)) return
    known.add(name)
    const common = protobuf.common.get(name)
    if (common?.nested !== undefined) root.addJSON(common.nested)
    if (common !== null) return
    const { imports = [], weakImports = [] } = protobuf.parse(readFileSync(join(folder, name), 'utf8'), root)
    for (const each of [...imports, ...weakImports]) load(each)
  }
  load(file)
  // Which fields are packed, required or groups; what else `resolveAll` does, comes with the first use.
  root._resolveFeaturesRecursive('proto2')
  const { methods } = root.lookupService(service)
  return name => {
    const method = methods[name]
    method?.resolve()
    const { resolvedRequestType: request, resolvedResponseType: response } = method ?? {}
    if (!request || !response) throw new Error(`${service} has no method ${name}`)
    return {
      path: `/${service}/${name}`,
      write: message => request.encode(request.fromObject(message)).finish() as Buffer,
      read: bytes => response.toObject(response.decode(bytes), { oneofs: true, longs: String, enums: String }),
    }
  }
}

/** Google's own types that the package has beside those it always knows. */
function descriptor(): object {
  const file = createRequire(import.meta.url)('protobufjs/google/protobuf/descriptor.json')
  return file.nested.google.nested.protobuf.nested
}
