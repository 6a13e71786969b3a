/* SPDX-License-Identifier: Apache-2.0

   How one reading is minted, as far as exactly-once hangs on it: its row in mint_tasks, two minters
   that may die and come back anywhere, and a chain that forks, loses and answers late. spin walks
   through every order in which their steps can happen; check_model.py runs it.

   How to read it: any option of a `do` or `if` may be taken whose first statement can run, and spin
   tries them all. An atomic block is one transaction of the database, or one answer of a node. The
   world beside the minters (Chain, Laggard, Time, Operator) does what it can whenever it likes.
   Signed bytes are numbers, from 0 in the order of signing; the arrays tell what became of each.

   What must hold stands at the end. Each MISTAKE is one that somebody could make: compiled with its
   name, the model breaks the property that check_model.py tells. */

#define SIGNINGS_MAX 2
#define NONE SIGNINGS_MAX

mtype = { PENDING, CLAIMED, SIGNED, SUBMITTED, CONFIRMED, PARKED };

/* Durable: the task, and how often the log says TokensMinted. */
mtype state = PENDING;
bit owner;          /* who claimed it */
bit lease_over;
byte bytes = NONE;  /* signed; kept until it is certain that they are void */
byte signings;
byte events;

/* On the chain, for each signed bytes. They expire at a height: a fork may bring the tip back below
   it, but never the final height. */
bit sent[SIGNINGS_MAX];
bit included[SIGNINGS_MAX];
bit final[SIGNINGS_MAX];
bit tip_past_expiry[SIGNINGS_MAX];
bit final_past_expiry[SIGNINGS_MAX];
/* The same as a node knows it that lags behind. */
bit old_final[SIGNINGS_MAX];
bit old_past_expiry[SIGNINGS_MAX];

bit at_work[2];  /* the minters that have a task and live */

/* Bad luck is unlimited, but to see that all comes to an end it must have one. */
#ifdef BOUNDED
byte luck = BOUNDED;
#define BAD_LUCK atomic { luck > 0 -> luck-- }
#define CAN_BE_BAD luck > 0
#define IS_BAD luck--
#else
#define BAD_LUCK skip
#define CAN_BE_BAD true
#define IS_BAD skip
#endif
#define MAY_DIE if :: skip :: BAD_LUCK; goto born fi

#define IS_OPEN (state == SIGNED || state == SUBMITTED)
#define IS_OVER (state == CONFIRMED || (state == PARKED && bytes == NONE))

/* Whether the row is still as it was read: the same bytes, not only the same state. */
#ifdef MISTAKE_compares_state_only
#define UNCHANGED IS_OPEN
#else
#define UNCHANGED (IS_OPEN && bytes == read)
#endif

inline Forget() { d_step { read = NONE; found = 0; expired = 0; at_work[me] = 0 } }

/* Makes signed bytes durable before anybody else sees them. If the lease was over meanwhile and the
   task is another's, they are thrown away. */
inline Sign() {
#ifdef MISTAKE_sends_before_durable
  if
  :: atomic { signings < SIGNINGS_MAX -> read = signings; signings++; sent[read] = 1 }
  :: signings == SIGNINGS_MAX -> goto born
  fi;
  MAY_DIE;
  d_step { if :: state == CLAIMED && owner == me -> bytes = read; state = SIGNED :: else fi }
#else
  d_step {
    if
#ifdef MISTAKE_signs_without_claim
    :: signings < SIGNINGS_MAX -> bytes = signings; signings++; state = SIGNED
#else
    :: state == CLAIMED && owner == me -> bytes = signings; signings++; state = SIGNED
#endif
    :: else
    fi
  }
#endif
}

/* The same bytes, as often as it takes; they may be lost on the way. */
inline Send() {
  if :: sent[read] = 1 :: BAD_LUCK fi;
  MAY_DIE;
  d_step { if :: state == SIGNED && UNCHANGED -> state = SUBMITTED :: else fi }
}

/* One answer of one node: whether they were minted at its final height, and whether that is past
   their expiry. */
inline LookUp() {
  if
  :: d_step { found = final[read]; expired = final_past_expiry[read] }
  :: atomic { CAN_BE_BAD -> IS_BAD; found = old_final[read]; expired = old_past_expiry[read] }
#ifdef MISTAKE_asks_two_nodes
  :: d_step { found = old_final[read]; expired = final_past_expiry[read] }
#endif
#ifdef MISTAKE_believes_the_tip
  :: d_step { found = included[read]; expired = 0 }
#endif
#ifdef MISTAKE_expires_by_the_tip
  :: d_step { found = final[read]; expired = tip_past_expiry[read] }
#endif
#ifdef MISTAKE_takes_silence_for_no
  :: d_step { found = 0; expired = 1 }
#endif
  fi
}

inline Confirm() {
#ifdef MISTAKE_tells_apart
  if :: atomic { UNCHANGED -> state = CONFIRMED } :: !UNCHANGED -> goto born fi;
  MAY_DIE;
  events++
#else
  d_step {
    if
#ifdef MISTAKE_confirms_blindly
    :: true -> state = CONFIRMED; events++
#else
    :: UNCHANGED -> state = CONFIRMED; events++
#endif
    :: else
    fi
  }
#endif
}

/* The bytes are void for ever: others may be signed, up to the limit. */
inline GiveUpBytes() {
  d_step {
    if
    :: UNCHANGED ->
       bytes = NONE;
       if :: signings < SIGNINGS_MAX -> state = PENDING :: else -> state = PARKED fi
    :: else
    fi
  }
}

proctype Minter(bit me) {
  byte read;  /* the bytes that stood in the row */
  bit found, expired;
born:
  Forget();
end_waiting:
  do
  :: d_step {
       state == PENDING || (state == CLAIMED && lease_over) ->
       state = CLAIMED; owner = me; lease_over = 0; at_work[me] = 1
     };
     MAY_DIE;
     Sign();
     MAY_DIE;
     Forget()
  :: d_step { IS_OPEN -> read = bytes };
     if :: Send() :: skip fi;
     LookUp();
     MAY_DIE;
     if
     :: found -> Confirm()
     :: !found && expired -> GiveUpBytes()
     :: !found && !expired
     fi;
     Forget()
  :: IS_OVER -> break
  od
}

/* What becomes of bytes i. */
proctype Chain(byte i) {
end_waiting:
  do
  :: d_step { sent[i] && !included[i] && !tip_past_expiry[i] -> included[i] = 1 }
  :: d_step { included[i] && !final[i] -> final[i] = 1 }
  :: d_step { i < signings && !tip_past_expiry[i] -> tip_past_expiry[i] = 1 }
  :: d_step {
       tip_past_expiry[i] && !final_past_expiry[i] && included[i] == final[i] ->
       final_past_expiry[i] = 1
     }
  /* Forks. */
  :: d_step { included[i] && !final[i] && CAN_BE_BAD -> IS_BAD; included[i] = 0 }
  :: d_step {
       tip_past_expiry[i] && !final_past_expiry[i] && CAN_BE_BAD -> IS_BAD;
       tip_past_expiry[i] = 0
     }
  od
}

/* Catches up now and then, with all at once. */
proctype Laggard() {
  byte i;
end_waiting:
  do
  :: d_step {
       i = 0;
       do
       :: i < SIGNINGS_MAX ->
          old_final[i] = final[i]; old_past_expiry[i] = final_past_expiry[i]; i++
       :: else -> break
       od;
       i = 0
     }
  od
}

/* A lease ends long after its owner died, or while that is slow. */
proctype Time() {
end_waiting:
  do
#ifndef MISTAKE_lease_for_ever
  :: d_step { state == CLAIMED && !lease_over && !at_work[owner] -> lease_over = 1 }
#endif
  :: d_step { state == CLAIMED && !lease_over && CAN_BE_BAD -> IS_BAD; lease_over = 1 }
  od
}

/* Somebody sets a task aside whose outcome is unknown, and somebody asks for it again. */
proctype Operator() {
end_waiting:
  do
  :: d_step { IS_OPEN && CAN_BE_BAD -> IS_BAD; state = PARKED }
#ifdef MISTAKE_retry_forgets_bytes
  :: d_step {
       state == PARKED && bytes != NONE && signings < SIGNINGS_MAX ->
       bytes = NONE; state = PENDING
     }
#else
  :: d_step { state == PARKED && bytes != NONE -> state = SUBMITTED }
#endif
  od
}

init {
  atomic {
    run Minter(0); run Minter(1);
    run Chain(0); run Chain(1);
    run Laggard(); run Time(); run Operator()
  }
}

/* No two mints of one reading, not even until a fork. */
ltl never_twice { [] (included[0] + included[1] <= 1) }
/* The database answers for whatever may still be minted. */
ltl answered_for {
  [] ((sent[0] && !final_past_expiry[0] -> bytes == 0) &&
      (sent[1] && !final_past_expiry[1] -> bytes == 1))
}
ltl confirmed_is_final { [] (state == CONFIRMED -> (final[0] || final[1])) }
/* TokensMinted is told just once, with the confirmation. */
ltl told_once { [] (events == (state == CONFIRMED)) }
/* When bad luck has an end, so has the task: confirmed if it was minted, else put aside. */
ltl ends { <> IS_OVER }
ltl ends_rightly { [] (IS_OVER && (final[0] || final[1]) -> state == CONFIRMED) }

/* What can happen, so that the above does not hold for lack of trying: each must be broken. */
ltl can_sign_again { [] !(state == CONFIRMED && bytes == 1) }
ltl can_run_out { [] !(state == PARKED && bytes == NONE) }
ltl can_be_minted_aside { [] !(state == PARKED && final[0]) }
