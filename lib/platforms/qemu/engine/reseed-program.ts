/** What a program for Linux needs to be told of a processor. */
interface Processor {
  /** As `uname -m` prints it. */
  readonly name: string;
  /** Its number in an ELF file. */
  readonly machine: number;
  /** `ioctl(open("/dev/urandom"), RNDRESEEDCRNG)`, and exit with what it failed with; the path's text follows. */
  readonly code: Buffer;
}

const path = Buffer.from('/dev/urandom\0');

/** open 2, ioctl 16, exit 60. */
const x86: Processor = {
  name: 'x86_64', machine: 62,
  code: Buffer.from('b802000000 488d3d1f000000 31f6 0f05 89c7 be07520000 31d2 b810000000 0f05 f7d8 89c7 b83c000000 0f05'.replaceAll(' ', ''), 'hex'),
};

/** openat 56 of AT_FDCWD, ioctl 29, exit 93. */
const arm: Processor = {
  name: 'aarch64', machine: 183,
  code: words([0x92800c60, 0x10000161, 0xd2800002, 0xd2800708, 0xd4000001, 0xd28a40e1, 0xd2800002, 0xd28003a8, 0xd4000001, 0xcb0003e0, 0xd2800ba8, 0xd4000001]),
};

/**
 * A program of some 180 bytes for each kind of processor, by what `uname -m` says: it makes the kernel take new random numbers
 * from what was written to its pool (random(4), RNDRESEEDCRNG), on machines that have nothing else that could ask for that.
 */
export const reseedPrograms: ReadonlyMap<string, Buffer> = new Map([x86, arm].map((processor) => [processor.name, program(processor)]));

/** The smallest ELF file: one segment at 4 MiB, which is the whole file (elf(5)). */
function program({ machine, code }: Processor): Buffer {
  const [header, segment] = [Buffer.alloc(64), Buffer.alloc(56)];
  const at = 0x400000n;
  const start = header.length + segment.length;
  const length = BigInt(start + code.length + path.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(at + BigInt(start), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  segment.writeUInt32LE(1, 0);
  segment.writeUInt32LE(5, 4);
  segment.writeBigUInt64LE(at, 16);
  segment.writeBigUInt64LE(at, 24);
  segment.writeBigUInt64LE(length, 32);
  segment.writeBigUInt64LE(length, 40);
  segment.writeBigUInt64LE(0x1000n, 48);
  return Buffer.concat([header, segment, code, path]);
}

function words(instructions: readonly number[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 4);
  for (const [index, instruction] of instructions.entries()) bytes.writeUInt32LE(instruction, index * 4);
  return bytes;
}
