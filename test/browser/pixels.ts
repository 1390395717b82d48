import { inflateSync } from "node:zlib";

/** The pixels of a picture, as red, green and blue in one number. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): number;
}

/** Reads a PNG of eight bits a channel, without interlacing, which is what a browser's screenshots are. */
export function pixelsOf(png: Buffer): Pixels {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const depth = png[25] === 6 ? 4 : 3;
  const parts: Buffer[] = [];
  // After its signature a PNG is a list of chunks: length, name, data, checksum.
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") {
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
    }
  }
  const bytes = unfiltered(inflateSync(Buffer.concat(parts)), width * depth, depth);
  return { width, height, at: (x, y) => bytes.readUIntBE((y * width + x) * depth, 3) };
}

/** Each line begins with how it is told from what is left of it and above it. */
function unfiltered(bytes: Buffer, width: number, depth: number): Buffer {
  const lines = bytes.length / (width + 1);
  const pixels = Buffer.alloc(lines * width);
  for (let line = 0; line < lines; line++) {
    const filter = bytes[line * (width + 1)]!;
    for (let i = 0; i < width; i++) {
      const at = line * width + i;
      const left = i >= depth ? pixels[at - depth]! : 0;
      const above = line > 0 ? pixels[at - width]! : 0;
      const corner = i >= depth && line > 0 ? pixels[at - width - depth]! : 0;
      const guess = [0, left, above, (left + above) >> 1, nearest(left, above, corner)][filter]!;
      pixels[at] = bytes[line * (width + 1) + 1 + i]! + guess;
    }
  }
  return pixels;
}

/** Of the three, the one next to what goes on from them in a straight line (the PNG format's "Paeth"). */
function nearest(left: number, above: number, corner: number): number {
  const straight = left + above - corner;
  const byDistance = [left, above, corner].sort((a, b) => Math.abs(straight - a) - Math.abs(straight - b));
  return byDistance[0]!;
}
