/** The values that have to come through load → table → query → read unchanged, as the REST API writes them (timestamps as microseconds). */
export const samples: readonly { readonly name: string; readonly type: string; readonly values: readonly string[] }[] = [
  { name: 'int64', type: 'INT64', values: ['9007199254740993', '9223372036854775807', '-9223372036854775808', '0'] },
  {
    name: 'numeric',
    type: 'NUMERIC',
    values: [
      '99999999999999999999999999999.999999999',
      '-99999999999999999999999999999.999999999',
      '0.000000001',
      '-0.5',
      '0',
      '100',
    ],
  },
  {
    name: 'bignumeric',
    type: 'BIGNUMERIC',
    values: [
      '578960446186580977117854925043439539266.34992332820282019728792003956564819967',
      '-578960446186580977117854925043439539266.34992332820282019728792003956564819968',
      '0.00000000000000000000000000000000000001',
      '0',
      '100',
    ],
  },
  {
    name: 'timestamp',
    type: 'TIMESTAMP',
    // Year 1, year 9999, 1969 with a fraction (twice), 1970, a microsecond of 2022.
    values: ['-62135596800000000', '253402300799999999', '-500000', '-1', '0', '1642636800123456'],
  },
  { name: 'date', type: 'DATE', values: ['0001-01-01', '9999-12-31', '1969-12-31', '2022-01-20', '2024-02-29'] },
  {
    name: 'datetime',
    type: 'DATETIME',
    values: ['0001-01-01T00:00:00', '9999-12-31T23:59:59.999999', '1969-12-31T23:59:59.500000', '2022-01-20T06:30:00.000001'],
  },
  { name: 'time', type: 'TIME', values: ['00:00:00', '23:59:59.999999', '06:30:00.500000', '06:30:00.000001'] },
  { name: 'bytes', type: 'BYTES', values: ['', 'AA==', '/w==', 'AAECAwQF/v8='] },
  { name: 'bool', type: 'BOOL', values: ['true', 'false'] },
  {
    name: 'float64',
    type: 'FLOAT64',
    values: ['NaN', 'Infinity', '-Infinity', '-0.0', '0.1', '1.7976931348623157e+308', '5e-324', '0.30000000000000004', '3.0'],
  },
  { name: 'json', type: 'JSON', values: ['{"a":[1,null,{"b":"æ"}],"c":1.5}', '"text"', 'null', '[]'] },
  {
    name: 'string',
    type: 'STRING',
    // Empty, quotes and controls, NUL, every plane of Unicode that has characters, both ends of the surrogates' range, a combined sign.
    values: [
      '',
      '"\\/\b\f\n\r\t\u0001',
      'a\u0000b',
      'æøå ÆØÅ',
      '\uFFFD\uFFFF\uE000\uD7FF',
      ...Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x1234)),
      '👩‍👩‍👧‍👦 e\u0301 \u2028\u2029',
    ],
  },
]
