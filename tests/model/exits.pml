/* SPDX-License-Identifier: MIT
 *
 * How an exit travels: the keeper writes it into the ring, or into the list of orphans, and reaps; the manager takes it,
 * commits, acknowledges; a process that runs already is claimed (src/programs/supd/reap.c, src/handover/handover.c,
 * src/programs/supd-manager/{exits,engine,recover}.c, src/state/slots.c). One unit starts a service, twice; the other
 * claims a daemon that may end at any moment. The manager may be killed at any step.
 *
 * Not here: how a start comes to its exec (launch.pml), a keeper that dies, pids that are used again.
 *
 * Invariant, shown by the assertions: each exit comes into the records, once, and into the right one; no unit waits for
 * an exit that will not come. One window is open, and stands here as `died_amid`: a claim is an effect ahead of its
 * commit. When the manager is killed between the two and the claimed process ends just then, its exit may be known to
 * nobody, or be waited for. CLAIM_WINDOW_IS_CLOSED asks for more than the code gives.
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef STARTS
#define STARTS 2
#endif
#define DAEMON 1 /* pids: the daemon's, then those of the services */
#define PIDS (DAEMON + STARTS)
#define SLOTS 2
#define RING 8
#define SERVICE_UNIT 0
#define CLAIM_UNIT 1

#ifdef CLAIM_WINDOW_IS_CLOSED
#define KNOWN_WINDOW false
#else
#define KNOWN_WINDOW died_amid
#endif

mtype = { UNBORN, LIVES, ZOMBIE, REAPED, FREE, INTENT, EXECED, CLAIMED };

/* the durable state */
mtype launch[SLOTS] = FREE;
byte pids[SLOTS], generation[SLOTS];
byte ring_slot[RING], ring_generation[RING], ring_pid[RING], head, tail;
byte orphan[PIDS + 1]; /* 1 = an entry that nobody owns yet */

/* the records, as last committed */
byte record_slot[2], record_generation[2];
bit record_running[2];
bit claim_done;

mtype process[PIDS + 1] = UNBORN;
byte told[PIDS + 1]; /* how often an exit came into a record */
byte starts;
byte manager_now, managers;
bit gone = 1, torn_claim;

/* ---- the keeper ---- */

inline find(who)
{
        slot = SLOTS;
        if
        :: pids[0] == who -> slot = 0
        :: else ->
                if
                :: pids[1] == who -> slot = 1
                :: else
                fi
        fi
}

inline record_exit(who)
{
#ifdef HEAD_COMES_BEFORE_THE_ENTRY
        head++;
        d_step { ring_slot[head - 1] = slot; ring_generation[head - 1] = generation[slot]; ring_pid[head - 1] = who };
        pids[slot] = 0
        recorded = 1
#else
        now = generation[slot];
        if
#ifndef SLOT_IS_NOT_LOOKED_AT_AGAIN
        :: pids[slot] != who -> recorded = 0 /* the slot was freed, and may be another's */
        :: else ->
#else
        :: true ->
#endif
                d_step { ring_slot[head] = slot; ring_generation[head] = now; ring_pid[head] = who };
                d_step {
                        if
                        :: pids[slot] == who -> pids[slot] = 0
                        :: else
                        fi
                };
                head++;
                recorded = 1
        fi
#endif
}

inline reap(who)
{
        find(who);
        if
        :: slot < SLOTS -> record_exit(who)
        :: else
        fi;
        if
        :: recorded
        :: else ->
                orphan[who] = 1;
#ifndef KEEPER_LOOKS_ONCE
                find(who);
                if
                :: slot < SLOTS ->
                        d_step {
                                owned = orphan[who];
                                orphan[who] = 0
                        }
                        if
                        :: owned ->
                                record_exit(who);
                                if
                                :: !recorded -> orphan[who] = 1
                                :: else
                                fi
                        :: else
                        fi
                :: else
                fi
#endif
        fi;
        d_step { process[who] = REAPED; slot = 0; owned = 0; recorded = 0; now = 0 }
}

active proctype keeper()
{
        byte slot, now;
        bit owned, recorded;

end_keeper:
        do
        :: process[1] == ZOMBIE -> reap(1)
        :: process[2] == ZOMBIE -> reap(2)
#if STARTS > 1
        :: process[3] == ZOMBIE -> reap(3)
#endif
        :: atomic { manager_now == 0 && gone -> gone = 0; managers++; manager_now = managers; run manager(managers) }
        od
}

/* ---- the manager ---- */

inline slot_alloc()
{
        d_step {
                slot = (launch[0] == FREE -> 0 : 1);
                pids[slot] = 0;
                generation[slot]++;
                launch[slot] = INTENT
        }
}

inline slot_free(s)
{
        pids[s] = 0;
        launch[s] = FREE
}

inline rebuild(s)
{
        if
        :: launch[s] != FREE &&
           !(record_running[0] && record_slot[0] == s && record_generation[0] == generation[s]) &&
           !(record_running[1] && record_slot[1] == s && record_generation[1] == generation[s]) -> slot_free(s)
        :: else
        fi
}

/* behind the commit, and again after a crash: the launcher does it at most once (launch.pml) */
inline launch_effect()
{
        atomic {
                if
                :: record_running[SERVICE_UNIT] && launch[record_slot[SERVICE_UNIT]] == INTENT ->
                        launch[record_slot[SERVICE_UNIT]] = EXECED;
                        pids[record_slot[SERVICE_UNIT]] = DAEMON + starts;
                        process[DAEMON + starts] = LIVES
                :: else
                fi
        }
}

inline start()
{
        slot_alloc();
        d_step {
                record_slot[SERVICE_UNIT] = slot;
                record_generation[SERVICE_UNIT] = generation[slot];
                record_running[SERVICE_UNIT] = 1;
                starts++
        };
        launch_effect()
}

inline claim()
{
        alive = (process[DAEMON] != REAPED); /* sys_stat() */
        slot_alloc();
        launch[slot] = CLAIMED;
        torn_claim = 1;
        pids[slot] = DAEMON;
        /* handover_claim() */
#ifndef MANAGER_DOES_NOT_LOOK_AT_ORPHANS
        d_step { found = orphan[DAEMON]; orphan[DAEMON] = 0 };
#endif
        if
        :: found -> pids[slot] = 0
        :: else
        fi;
        d_step { /* the commit */
                torn_claim = 0;
                claim_done = 1;
                record_slot[CLAIM_UNIT] = slot;
                record_generation[CLAIM_UNIT] = generation[slot];
                record_running[CLAIM_UNIT] = (alive && !found);
                if
                :: found -> told[DAEMON]++
                :: else
                fi
        };
        if
        :: found || !alive -> slot_free(slot)
        :: else
        fi;
        found = 0
}

inline exit_take()
{
        d_step { /* exits_take(): whose is it? */
                unit = 2;
                if
#ifdef GENERATION_IS_NOT_COMPARED
                :: record_slot[0] == ring_slot[tail] && record_running[0] -> unit = 0
#elif defined(RUNNING_IS_NOT_ASKED)
                :: record_slot[0] == ring_slot[tail] && record_generation[0] == ring_generation[tail] -> unit = 0
#else
                :: record_slot[0] == ring_slot[tail] && record_generation[0] == ring_generation[tail] && record_running[0] ->
                        unit = 0
#endif
                :: record_slot[1] == ring_slot[tail] && record_generation[1] == ring_generation[tail] && record_running[1] ->
                        unit = 1
                :: else
                fi;
                slot = ring_slot[tail];
                who = ring_pid[tail]
        };
#ifdef SLOT_IS_FREED_BEFORE_THE_COMMIT
        if
        :: unit < 2 -> slot_free(slot)
        :: else
        fi;
#endif
#ifdef ACKNOWLEDGED_BEFORE_THE_COMMIT
        tail++;
#endif
        if
        :: unit < 2 ->
                d_step { /* the commit */
                        record_running[unit] = 0;
                        told[who]++;
                        assert((unit == CLAIM_UNIT) == (who == DAEMON));
                        assert(unit == CLAIM_UNIT || who == DAEMON + starts)
                }
        :: else
        fi;
#ifndef ACKNOWLEDGED_BEFORE_THE_COMMIT
        tail++;
#endif
#ifndef SLOT_IS_FREED_BEFORE_THE_COMMIT
        if
        :: unit < 2 -> slot_free(slot)
        :: else
        fi;
#endif
        d_step { unit = 0; slot = 0; who = 0 }
}

proctype manager(byte self)
{
        byte slot, unit, who;
        bit alive, found;

        {
                rebuild(0);
                rebuild(1);
                launch_effect();
end_turn:
                do
                :: head != tail -> exit_take()
                :: starts < STARTS && !record_running[SERVICE_UNIT] && head == tail -> start()
                :: !claim_done -> claim()
                od
        } unless {
                atomic { manager_now != self -> gone = 1 }
        }
}

/* ---- */

active proctype world()
{
        byte deaths;
        bit died_amid;

        process[DAEMON] = LIVES;
end_world:
        do
        :: process[1] == LIVES -> process[1] = ZOMBIE
        :: process[2] == LIVES -> process[2] = ZOMBIE
#if STARTS > 1
        :: process[3] == LIVES -> process[3] = ZOMBIE
#endif
        :: atomic {
                manager_now != 0 && deaths < DEATHS ->
                deaths++;
                manager_now = 0;
                died_amid = died_amid || torn_claim;
                torn_claim = 0
           }
        :: atomic {
                timeout ->
                assert(head == tail && claim_done);
                assert(!record_running[0]); /* nobody waits in vain */
                assert(!record_running[1] || KNOWN_WINDOW);
                assert(told[2] == 1);
#if STARTS > 1
                assert(told[3] == 1);
#endif
                assert(told[DAEMON] <= 1);
                assert(told[DAEMON] == 1 || KNOWN_WINDOW)
           }
           break
        od
}
