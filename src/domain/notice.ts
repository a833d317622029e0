import type { Change } from './evolution.ts'
import { typeText } from './shape.ts'
import { type TableRef, tableName } from './source.ts'

/** What the readers of a table are told about the one that follows it. Days are DATE text. */
type Notice = {
  readonly from: TableRef
  readonly to: TableRef
  readonly key: readonly string[]
  readonly changes: readonly Change[]
  readonly since: string
  /** The old table stays at least until then. */
  readonly until: string
}

/** The text for the readers' channel, in Norwegian: that is where it is read. */
export function notice({ from, to, key, changes, since, until }: Notice): string {
  const lines = changes.flatMap(change => line(change, key) ?? [])
  return `Tabellen \`${tableName(from)}\` får en ny utgave: \`${tableName(to)}\`.

Hva er nytt:
${lines.length === 0 ? '- kolonnene er de samme' : lines.map(text => `- ${text}`).join('\n')}

Fra når: den nye tabellen finnes fra ${since}, og fylles fra første kjøring etter at jobben er lagt om.
Hvem gjelder det: alle som leser \`${tableName(from)}\`: spørringer, views, dataprodukter og dashbord.
Hva må du gjøre: les fra \`${tableName(to)}\` i stedet.

Den gamle tabellen blir stående til ${until}, men får ikke nye data etter omleggingen. Si fra her hvis du trenger lengre tid.`
}

/** One difference, as a reader of the old table meets it in the new one; nothing where a reader can't see it. */
function line({ kind, column, wanted, found }: Change, key: readonly string[]): string | undefined {
  const [now, before] = [wanted === undefined ? '' : typeText(wanted), found === undefined ? '' : typeText(found)]
  switch (kind) {
    case 'add':
      return column === 'version' ? undefined : `kolonnen ${column} (${now}) er ny`
    case 'rename':
      return `kolonnen ${found?.name} heter nå ${column}`
    case 'type':
    case 'widen':
    case 'wider':
      return `kolonnen ${column} er nå ${now}; den var ${before}`
    case 'fields':
      return `kolonnen ${column} har andre felter: nå ${now}, før ${before}`
    case 'relax':
      return wanted === undefined ? undefined : `kolonnen ${column} kan være NULL`
    case 'tighten':
    case 'nulls':
      return `kolonnen ${column} er aldri NULL`
    case 'unwritten':
      return `kolonnen ${column} er borte`
    case 'key':
      return key.length === 0 ? 'radene har ingen nøkkel lenger' : `én rad er nå én verdi av ${key.join(', ')}`
    case 'mode':
      return 'tabellen skrives på en annen måte enn før; versjonene betyr noe annet'
    case 'partitions':
      return 'tabellen er delt opp i andre partisjoner'
    case 'clusters':
    case 'describe':
      return undefined
  }
}
