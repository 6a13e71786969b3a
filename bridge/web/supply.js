// SPDX-License-Identifier: Apache-2.0

// Where the energy of accepted readings went: minted, waiting, parked, or never to be minted.
//
// One side is added up from readings, the other from tasks and mints: they check each other.
export class Supply {
  acceptedNano = 0n;  // generation, as corrected, without withdrawn readings
  withoutTaskNano = 0n;  // of it, of readings that have nothing to mint and so no task
  mintedNano = 0n;  // energy of the mints
  mintedBefore = 0n;  // of it, of readings that were accepted before what was seen

  // Returns all lines of the account. `offNano` is 0 unless something is wrong or was not seen.
  balance(tasks) {
    const rejected = tasks.states.get("REJECTED").nanoKwh - tasks.withdrawnNano;
    const nothing = this.withoutTaskNano + tasks.states.get("NOT_APPLICABLE").nanoKwh;
    const toMint = this.acceptedNano - nothing - rejected;
    const difference = toMint - (this.mintedNano - this.mintedBefore);
    const waiting = tasks.waitingNano;
    const parked = tasks.states.get("PARKED").nanoKwh;
    return { accepted: this.acceptedNano, nothing, rejected, toMint, minted: this.mintedNano,
      mintedBefore: this.mintedBefore, difference, waiting, parked,
      off: difference - waiting - parked };
  }
}
