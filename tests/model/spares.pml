/* SPDX-License-Identifier: MIT
 *
 * The launcher and its spares (src/programs/supd-exec/plans.c): who receives a message of the manager's, and how the
 * launcher knows who has received what. Steps are named after the functions they stand for.
 *
 * Not here: what a start does (launch.pml), the memory model of the machine (each step is seen by all at once, which
 * the seq_cst atomics of the code give), libc. A start may block for ever; a process may be killed at any step.
 *
 * Invariant, shown by the assertions: every message is carried out by exactly one process, or noted as failed; and
 * whatever blocks a start, the next message finds a receiver.
 */
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef PROCESSES
#define PROCESSES 4 /* that can ever be forked, one for each message among them */
#endif
#define NOTHING   0

mtype = { UNBORN, LIVES, BUSY, ZOMBIE, REAPED, INTENT, DONE, FAILED };

/* PLANS: messages are received in the order in which they were sent */
byte sent, received;

/* the page that the launcher shares with the spares */
byte taken[2];
bit is_there[2];
bit has_read[2];
bit none_left; /* the eventfd */

/* the kernel's side */
mtype process[PROCESSES + 1] = UNBORN;
bit status_bad[PROCESSES + 1];
byte born;

/* the launcher's own memory */
byte place[2]; /* spares.pids */
byte n_spares;
byte child[PROCESSES + 1]; /* the message of a child, as far as the launcher knows */

/* what came of each message */
mtype outcome[MESSAGES + 1] = INTENT;
byte begun[MESSAGES + 1];
bit blocked[MESSAGES + 1];
inline carry_out(message)
{
        atomic {
                process[self] = BUSY; /* who is killed from here on is the matter of launch.pml */
                begun[message]++;
                assert(begun[message] == 1); /* taken by one process */
                if
                :: outcome[message] = DONE
                :: blocked[message] = 1 /* a dead NFS server */
                fi
        }
end_blocked:
        blocked[message] == 0
}

proctype intermediate(byte self; byte message)
{
        carry_out(message);
        process[self] = ZOMBIE
}

proctype spare(byte self; byte i)
{
        byte mine;
        bit waits;

        {
                if
                :: atomic { received < sent -> received++; taken[i] = received } /* the kernel writes the head into the page */
                :: received == sent -> goto leave /* SO_RCVTIMEO: nobody needed it */
                fi;
#ifdef READ_IS_SAID_TOO_EARLY
                has_read[i] = 1;
                mine = taken[i];
#elif defined(READ_IS_SAID_TOO_LATE)
                mine = taken[i];
#else
                mine = taken[i];
                has_read[i] = 1;
#endif
                /* other_waits() */
                waits = is_there[1 - i];
                if
                :: waits -> waits = (taken[1 - i] == NOTHING)
                :: else
                fi;
#ifdef READ_IS_SAID_TOO_LATE
                has_read[i] = 1;
#endif
#ifndef NONE_LEFT_IS_NOT_TOLD
                if
                :: !waits -> none_left = 1
                :: else
                fi;
#endif
                assert(mine != NOTHING); /* what it received is what it reads */
                carry_out(mine);
leave:
                process[self] = ZOMBIE
        } unless {
                process[self] == ZOMBIE || process[self] == REAPED /* killed, or at its end */
        }
}

/* ---- the launcher ---- */

inline spare_forget(i)
{
        d_step {
                place[i] = 0;
                n_spares--;
#ifndef PLACE_STAYS_THERE
                is_there[i] = 0
#endif
        }
}

inline graduate_one(i, dead)
{
        if
        :: place[i] != 0 && taken[i] != NOTHING ->
                if
#ifdef PLACE_IS_USED_UNREAD
                :: true ->
#elif defined(DEAD_SPARE_KEEPS_ITS_PLACE)
                :: has_read[i] ->
#else
                :: place[i] == dead || has_read[i] ->
#endif
                        child[place[i]] = taken[i];
                        spare_forget(i)
                :: else
                fi
        :: else
        fi
}

inline spares_graduate(dead)
{
        graduate_one(0, dead);
        graduate_one(1, dead)
}

inline settle(id)
{
        d_step {
                if
                :: child[id] != 0 && outcome[child[id]] == INTENT ->
                        outcome[child[id]] = FAILED;
                        blocked[child[id]] = 0
                :: else
                fi
        }
}

inline reap_one(id)
{
        spares_graduate(id);
        if
        :: place[0] == id || place[1] == id -> /* spare_died() */
                if
                :: place[0] == id -> spare_forget(0)
                :: else -> spare_forget(1)
                fi;
                if
                :: status_bad[id] -> any = 1
                :: else
                fi;
#ifndef NO_SECOND_LOOK
                spares_graduate(0)
#endif
        :: else -> settle(id); any = 1
        fi
}

inline spare_make(i)
{
        if
        :: place[i] == 0 && born + MESSAGES - received < PROCESSES ->
                d_step { /* nobody looks at a place that is not there */
                        taken[i] = NOTHING;
#ifndef READ_IS_NOT_CLEARED
                        has_read[i] = 0;
#endif
                        is_there[i] = 1
                }
                atomic {
                        born++;
                        process[born] = LIVES;
                        place[i] = born;
                        n_spares++;
                        run spare(born, i)
                }
        :: else
        fi
}

active proctype launcher()
{
        bit any = 1; /* a start is done, so the spares are made */

        do
        ::
                do /* drain() */
#ifndef LAUNCHER_NEVER_LISTENS
                :: n_spares == 0 && received < sent ->
#else
                :: n_spares == 0 && received < sent && born == 0 ->
#endif
                        atomic {
                                received++;
                                born++;
                                process[born] = LIVES;
                                child[born] = received;
                                run intermediate(born, received)
                        }
                :: else -> break
                od;
                if
                :: any -> spare_make(0); spare_make(1); any = 0
                :: else
                fi;
end_poll:
                if
                :: none_left -> none_left = 0; spares_graduate(0)
#ifndef LAUNCHER_NEVER_LISTENS
                :: n_spares == 0 && received < sent
#endif
                :: atomic { process[1] == ZOMBIE -> process[1] = REAPED }; reap_one(1)
                :: atomic { process[2] == ZOMBIE -> process[2] = REAPED }; reap_one(2)
                :: atomic { process[3] == ZOMBIE -> process[3] = REAPED }; reap_one(3)
                :: atomic { process[4] == ZOMBIE -> process[4] = REAPED }; reap_one(4)
#if PROCESSES > 4
                :: atomic { process[5] == ZOMBIE -> process[5] = REAPED }; reap_one(5)
#endif
#if PROCESSES > 5
                :: atomic { process[6] == ZOMBIE -> process[6] = REAPED }; reap_one(6)
#endif
                fi
        od
}

active proctype manager()
{
        do
        :: sent < MESSAGES -> sent++
        :: else -> break
        od
}

inline kill(id)
{
        kills++;
        status_bad[id] = 1;
        process[id] = ZOMBIE
}

active proctype killer()
{
        byte kills;

end_kills:
        do
        :: atomic { kills < KILLS && process[1] == LIVES -> kill(1) }
        :: atomic { kills < KILLS && process[2] == LIVES -> kill(2) }
        :: atomic { kills < KILLS && process[3] == LIVES -> kill(3) }
        :: atomic { kills < KILLS && process[4] == LIVES -> kill(4) }
#if PROCESSES > 4
        :: atomic { kills < KILLS && process[5] == LIVES -> kill(5) }
#endif
#if PROCESSES > 5
        :: atomic { kills < KILLS && process[6] == LIVES -> kill(6) }
#endif
        od
}

/* Nothing can happen any more. */
active proctype judge()
{
        byte m;

        timeout;
        assert(received == sent); /* it found a receiver, whatever blocks the others */
        for (m : 1 .. MESSAGES) {
                assert(outcome[m] != INTENT || blocked[m]) /* and its end is known */
        }
}
