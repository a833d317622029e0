import { BigQueryError } from './contract.ts'
import { flag, integer, type JsonObject, optional, text } from './json.ts'
import { pieces } from './lines.ts'

export type CsvOptions = {
  readonly delimiter: string
  readonly quote: string
  readonly nullMarker: string
  readonly skipLeadingRows: number
  readonly allowJaggedRows: boolean
}

/** BigQuery REST, JobConfigurationLoad: the options of CSV and their defaults. */
export function readCsvOptions(config: JsonObject): CsvOptions {
  const encoding = optional(config.encoding, text) ?? 'UTF-8'
  if (encoding.toUpperCase() !== 'UTF-8')
    throw new BigQueryError('notImplemented', `The local BigQuery loads CSV in UTF-8 only, not ${encoding}.`)
  const delimiter = optional(config.fieldDelimiter, text) ?? ','
  return {
    delimiter: delimiter === '\\t' ? '\t' : delimiter,
    quote: optional(config.quote, text) ?? '"',
    nullMarker: optional(config.nullMarker, text) ?? '',
    skipLeadingRows: optional(config.skipLeadingRows, integer) ?? 0,
    allowJaggedRows: optional(config.allowJaggedRows, flag) ?? false,
  }
}

export type CsvRow = { readonly cells: readonly (string | null)[]; readonly position: number }

/** The rows of a CSV file (RFC 4180). A cell that isn't quoted and equals the null marker is null. Lines in quotes are always allowed. */
export async function* csvRows(path: string, options: CsvOptions): AsyncGenerator<CsvRow> {
  const decoder = new TextDecoder('utf-8')
  const { delimiter, quote, nullMarker } = options
  let cells: (string | null)[] = []
  let cell = ''
  let [wasQuoted, inQuotes, afterQuote] = [false, false, false]
  let [position, rowStart, row] = [0, 0, 0]
  const endCell = () => {
    cells.push(!wasQuoted && cell === nullMarker ? null : cell)
    cell = ''
    wasQuoted = false
  }
  const endRow = (): CsvRow | undefined => {
    const isEmpty = cells.length === 0 && cell === '' && !wasQuoted
    endCell()
    const done = { cells, position: rowStart }
    cells = []
    rowStart = position
    row += 1
    return isEmpty || row <= options.skipLeadingRows ? undefined : done
  }
  for await (const piece of pieces(path)) {
    for (const sign of decoder.decode(piece, { stream: true })) {
      position += Buffer.byteLength(sign)
      if (inQuotes) {
        if (sign === quote) {
          inQuotes = false
          afterQuote = true
        } else cell += sign
      } else if (sign === quote && quote !== '' && (afterQuote || cell === '')) {
        // A doubled quote is one quote of the text.
        if (afterQuote) cell += quote
        inQuotes = true
        wasQuoted = true
        afterQuote = false
      } else {
        afterQuote = false
        if (sign === delimiter) endCell()
        else if (sign === '\n') {
          if (cell.endsWith('\r') && !wasQuoted) cell = cell.slice(0, -1)
          const done = endRow()
          if (done) yield done
        } else if (sign !== '\r' || !wasQuoted) cell += sign
      }
    }
  }
  if (cells.length > 0 || cell !== '' || wasQuoted) {
    const done = endRow()
    if (done) yield done
  }
}
