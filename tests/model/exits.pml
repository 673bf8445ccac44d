/* SPDX-License-Identifier: MIT
 *
 * How an exit travels: the keeper writes it into the ring, or into the list of orphans, and reaps; the manager takes it,
 * commits, acknowledges; a process that runs already is claimed (src/programs/supd/reap.c, src/handover/handover.c,
 * src/programs/supd-manager/{exits,engine,recover}.c, src/state/slots.c). One unit starts a service, twice; the other
 * claims a daemon that may end at any moment. The manager may be killed at any step.
 *
 * Not here: how a start comes to its exec (launch.pml), a keeper that dies, pids that are used again, orphans so many that
 * an entry is lost.
 *
 * Invariant, shown by the assertions: each exit comes into the records, once, and into the right one; no unit waits for
 * an exit that will not come; no pid stands in a slot behind its reaping, where its next user would be found.
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
#define LOOKS 4
#define SERVICE_UNIT 0
#define CLAIM_UNIT 1

mtype = { UNBORN, LIVES, ZOMBIE, REAPED, FREE, INTENT, EXECED, CLAIMED };

/* the durable state */
mtype launch[SLOTS] = FREE;
byte pids[SLOTS], generation[SLOTS], exited[SLOTS];
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
bit gone = 1;

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
        :: pids[slot] == who && exited[slot] == now -> pids[slot] = 0 /* it was told */
        :: else ->
#else
        :: true ->
#endif
                d_step { ring_slot[head] = slot; ring_generation[head] = now; ring_pid[head] = who };
                exited[slot] = now;
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
                do
                :: looks < LOOKS && !recorded ->
                        looks++;
                        find(who);
                        if
                        :: slot < SLOTS -> record_exit(who)
                        :: else -> break
                        fi
                :: else -> break
                od;
                if
                :: recorded -> orphan[who] = 0
                :: else
                fi
#endif
        fi;
        d_step { process[who] = REAPED; slot = 0; recorded = 0; now = 0; looks = 0 }
}

active proctype keeper()
{
        byte slot, now, looks;
        bit recorded;

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
                exited[slot] = 0;
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

/* The end that an orphan tells of: into the record, then forgotten. */
inline take_orphan()
{
#ifdef ORPHAN_IS_FORGOTTEN_BEFORE_THE_COMMIT
        orphan[DAEMON] = 0;
#endif
        d_step { /* the commit */
                claim_done = 1;
                record_running[CLAIM_UNIT] = 0;
                told[DAEMON]++
        };
        orphan[DAEMON] = 0
}

inline told_by_ring()
{
        told_already = 0;
        if
        :: exited[slot] == generation[slot] ->
                told_already = 1;
                d_step {
                        if
                        :: pids[slot] == DAEMON -> pids[slot] = 0
                        :: else
                        fi
                }
        :: else
        fi
}

/* handover_claim() */
inline claim_store()
{
#ifndef RING_IS_NOT_ASKED
        told_by_ring();
#endif
        if
        :: !told_already ->
                launch[slot] = CLAIMED;
                pids[slot] = DAEMON;
#if !defined(RING_IS_NOT_ASKED) && !defined(RING_IS_ASKED_ONCE)
                told_by_ring();
#endif
#ifndef MANAGER_DOES_NOT_LOOK_AT_ORPHANS
                found = orphan[DAEMON] && !told_already
#endif
        :: else
        fi
}

/* behind the commit, and again after a crash: exits_claim_effects() */
inline claim_effect()
{
        if
        :: record_running[CLAIM_UNIT] ->
                slot = record_slot[CLAIM_UNIT];
                claim_store();
                if
                :: found -> take_orphan(); slot_free(slot)
                :: !found && process[DAEMON] == REAPED && exited[slot] != generation[slot] -> /* nobody knows how */
                        record_running[CLAIM_UNIT] = 0;
                        slot_free(slot)
                :: else -> assert(pids[slot] != DAEMON || process[DAEMON] != REAPED)
                fi;
                d_step { slot = 0; found = 0; told_already = 0 }
        :: else
        fi
}

inline claim_commit()
{
        d_step {
                claim_done = 1;
                record_slot[CLAIM_UNIT] = slot;
                record_generation[CLAIM_UNIT] = generation[slot];
                record_running[CLAIM_UNIT] = 1
        }
}

inline claim()
{
        if
        :: process[DAEMON] != REAPED -> /* sys_stat() */
                slot_alloc();
#ifdef CLAIMED_BEFORE_THE_COMMIT
                claim_store();
                claim_commit();
                if
                :: found -> take_orphan(); slot_free(slot)
                :: else
                fi;
                found = 0
#else
                claim_commit();
                claim_effect()
#endif
        :: else -> assert(orphan[DAEMON]); take_orphan()
        fi
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
        bit found, told_already;

        {
                rebuild(0);
                rebuild(1);
                launch_effect();
#if !defined(CLAIM_IS_NOT_MADE_AGAIN) && !defined(CLAIMED_BEFORE_THE_COMMIT)
                claim_effect();
#endif
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
                manager_now = 0
           }
        :: atomic {
                timeout ->
                assert(head == tail && claim_done);
                assert(!record_running[0] && !record_running[1]); /* nobody waits in vain */
                assert(pids[0] == 0 && pids[1] == 0);
                assert(told[2] == 1);
#if STARTS > 1
                assert(told[3] == 1);
#endif
                assert(told[DAEMON] == 1)
           }
           break
        od
}
