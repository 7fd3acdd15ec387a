/**
 * Core and crypto provider alone, over a link in memory, in a process of its own: `core.ts CONTESTANT PACKETS`, with
 * `--expose-gc`. Sends its parent what was allocated for a packet, and what a packet and a frame add.
 */
import { GCProfiler } from 'node:v8';

import { type AeadKey, type CryptoProvider, FrameReader } from '@coconet/cluster-protocol/core';
import { createNodeHost } from '@coconet/cluster-protocol/node';

import { ANSWER_LENGTH, REQUEST_LENGTH } from './contestant.js';
import { CoreLink } from './core-link.js';
import type { Figures } from './work.js';

const IN_FLIGHT = 64;
/** Packets between two looks at the profiler, whose notes of collections take memory themselves. */
const SPAN = 50_000;
/** Share of all packets that goes before anything is measured: the engine has then compiled what is hot. */
const WARM_UP = 0.1;
/** Commands whose packets are looked into. */
const LOOKED_INTO = 1_000;

const [, , name = '', packetsWanted = ''] = process.argv;
const host = await createNodeHost();
const options = { random: host.random, wall: host.wallTime(), capped: name.endsWith('-1452') };
const share = Math.max(1, Math.floor(Number(packetsWanted) / 3));

const figures: Figures = { ...overhead(), ...allocations() };
process.send?.(figures);
process.disconnect();

/** What a packet adds to its frames, and a frame to what the application gave. */
function overhead(): Figures {
  const seen = { packets: 0, frames: 0, plaintext: 0 };
  const reader = new FrameReader();
  const provider = watchedProvider(host.crypto, (bytes, start, end) => {
    seen.packets++;
    seen.plaintext += end - start;
    reader.reset(bytes, start, end);
    while (reader.next()) seen.frames++;
  });
  const link = new CoreLink({ ...options, provider });
  link.connect();
  const before = { ...seen, bytes: link.bytes, answers: link.answers };
  link.exchange(1, 2 * LOOKED_INTO);
  const commands = link.answers - before.answers;
  const packets = seen.packets - before.packets;
  const plaintext = seen.plaintext - before.plaintext;
  return {
    packetBytes: (link.bytes - before.bytes - plaintext) / packets,
    frameBytes: (plaintext - commands * (REQUEST_LENGTH + ANSWER_LENGTH)) / (seen.frames - before.frames),
  };
}

function allocations(): Figures {
  const link = new CoreLink({ ...options, provider: host.crypto });
  link.connect();
  const command = allocated(link, packets => {
    link.exchange(1, packets);
  });
  const rate = allocated(link, packets => {
    link.exchange(IN_FLIGHT, packets);
  });
  const bulk = allocated(link, packets => {
    link.pour(packets);
  });
  return {
    commandAllocated: command.perPacket,
    rateAllocated: rate.perPacket,
    bulkAllocated: bulk.perPacket,
    heapGrowth: Math.max(command.growth, rate.growth, bulk.growth),
  };
}

/** Bytes allocated for a packet, on the heap and beside it, and bytes that stay for it. */
function allocated(
  link: CoreLink,
  work: (packets: number) => void,
): { readonly perPacket: number; readonly growth: number } {
  work(Math.ceil(share * WARM_UP));
  const packetsBefore = link.packets;
  const heapBefore = collected();
  let sum = 0;
  for (let left = share; left > 0; left -= SPAN) {
    const profiler = new GCProfiler();
    let last = heldNow();
    profiler.start();
    work(Math.min(left, SPAN));
    const end = heldNow();
    // Between two collections memory only grows.
    for (const { beforeGC, afterGC } of profiler.stop().statistics) {
      sum += held(beforeGC.heapStatistics) - last;
      last = held(afterGC.heapStatistics);
    }
    sum += end - last;
  }
  const packets = link.packets - packetsBefore;
  return { perPacket: sum / packets, growth: Math.max(0, collected() - heapBefore) / packets };
}

function collected(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return heldNow();
}

function heldNow(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes on the heap and beside it. */
function held(statistics: { readonly usedHeapSize: number; readonly externalMemory: number }): number {
  return statistics.usedHeapSize + statistics.externalMemory;
}

/** The provider, except that whatever is sealed in a packet is shown first. */
function watchedProvider(
  provider: CryptoProvider,
  look: (bytes: Uint8Array, start: number, end: number) => void,
): CryptoProvider {
  const aeadKey = (bytes: Uint8Array): AeadKey => {
    const key = provider.aeadKey(bytes);
    return {
      sealInPlace: (high, low, buffer, adLength, length) => {
        look(buffer, adLength, adLength + length);
        return key.sealInPlace(high, low, buffer, adLength, length);
      },
      openInPlace: (high, low, buffer, adLength, length) =>
        key.openInPlace(high, low, buffer, adLength, length),
      destroy: () => {
        key.destroy();
      },
    };
  };
  return new Proxy(provider, {
    get: (target, property) => {
      if (property === 'aeadKey') return aeadKey;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
