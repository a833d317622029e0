import { constants, type ZstdOptions } from 'node:zlib'

/** The quickest of zstd's levels, since a stage lives for minutes; and room for most of the result, or node asks for it by 16 KiB. */
export function zstdOptions(size: number): ZstdOptions & { pledgedSrcSize: number } {
  return {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    chunkSize: Math.max(1024, size >> 2),
    pledgedSrcSize: size,
  }
}
