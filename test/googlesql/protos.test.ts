import { load } from '@grpc/proto-loader'
import { beforeAll, expect, test } from 'vitest'
import { loadService } from '../../src/googlesql/protos.ts'
import { protoFolder } from '../../src/googlesql/server.ts'

const name = 'zetasql.local_service.ZetaSqlLocalService'
type Loaded = Record<
  string,
  Record<'requestSerialize' | 'responseSerialize', (message: object) => Buffer> & { responseDeserialize(bytes: Buffer): object }
>

let theirs: Loaded
let ours: Awaited<ReturnType<typeof loadService>>
beforeAll(async () => {
  const options = { includeDirs: [protoFolder()], oneofs: true, longs: String, enums: String }
  theirs = (await load('local_service.proto', options))[name] as unknown as Loaded
  ours = await loadService(protoFolder(), 'local_service.proto', name)
})

test.each<[string, object, object]>([
  ['FormatSql', { sql: 'select 1' }, { sql: 'SELECT\n  1;' }],
  [
    'RegisterCatalog',
    { simpleCatalog: { name: 'root' } },
    { registeredId: '9007199254740993', descriptorPoolIdList: { registeredIds: ['1', '-2'] } },
  ],
  ['ExtractTableNamesFromNextStatement', { parseResumeLocation: { input: 'SELECT 1' } }, { resumeBytePosition: 8 }],
  [
    'Analyze',
    {
      parseResumeLocation: { input: 'SELECT 1', bytePosition: 3 },
      options: {
        languageOptions: { productMode: 'PRODUCT_EXTERNAL' },
        queryParameters: [{ name: 'p', type: { typeKind: 'TYPE_DATE' } }],
      },
    },
    { resumeBytePosition: 5 },
  ],
  [
    'Evaluate',
    {
      sql: 'SELECT 1',
      params: [
        { name: 'b', value: { bytesValue: Buffer.from([0, 255]) } },
        { name: 't', value: { timestampValue: { seconds: '-62135596800', nanos: 1 } } },
      ],
    },
    {
      value: {
        arrayValue: { element: [{ doubleValue: Number.NaN }, { int64Value: '-9223372036854775808' }, { stringValue: '' }] },
      },
    },
  ],
])('%s goes over the wire as @grpc/proto-loader writes and reads it', (method, request, response) => {
  const { path, write, read } = ours(method)
  expect(path).toBe(`/${name}/${method}`)
  const answer = theirs[method]?.responseSerialize(response) ?? Buffer.alloc(0)
  expect(write(request)).toEqual(theirs[method]?.requestSerialize(request))
  expect(read(answer)).toEqual(theirs[method]?.responseDeserialize(answer))
  expect(read(answer)).toMatchObject(response)
})
