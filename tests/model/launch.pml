/* SPDX-License-Identifier: MIT
 *
 * How a start travels: the intent, the launcher's intermediate, the service-to-be that stores its own pid, settle() for
 * an intermediate that died, and the life pipe that the keeper waits for (src/programs/supd-exec/{plans,start,service}.c,
 * src/programs/supd-manager/{launch,recover,exits}.c, src/state/slots.c, src/programs/supd/{manager,reap}.c). One slot,
 * so that each start uses the slot of the one before.
 *
 * Not here: the spares (spares.pml), claimed processes (exits.pml), what a plan does, pids that are used again. A
 * process may be killed at any step; a service may fail to exec, end, or run for ever.
 *
 * Invariant, shown by the assertions: a start is exec'ed at most once, and only while the record says that it is under
 * way; whatever was exec'ed has its exit recorded, once; every start comes to an end that the record knows.
 */
#ifndef STARTS
#define STARTS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#define MOST 5 /* generations, pids, intermediates, entries of the ring */

mtype = { NONE, LIVES, FORKED, RUNS, ZOMBIE, GONE, FREE, INTENT, EXECED, FAILED };

/* the durable slot, and the ring */
mtype launch = FREE;
byte generation, pids, last_pid;
bit launcher_died; /* step */
byte ring[MOST + 1];
byte head, tail;

/* the record, as last committed */
byte record_generation; /* 0 = nothing is under way */
bit record_launching, record_running;
byte begun, ended;

/* processes */
byte manager_now, launcher_now; /* which of them lives; 0 = none */
byte managers;
byte plan; /* PLANS: the generation asked for; 0 = empty */
mtype intermediate_is[MOST + 1] = NONE;
byte intermediates;
mtype service_is[MOST + 1] = NONE;
byte parent_of[MOST + 1], generation_of[MOST + 1];
bit execed[MOST + 1]; /* by pid */
byte services;
byte execs[MOST + 1]; /* by generation */
bit exit_told[MOST + 1];

#define PRE_EXEC(p) (service_is[p] == FORKED)
#define HOLDS_LIFE                                                                                                     \
        (intermediate_is[1] == LIVES || intermediate_is[2] == LIVES || intermediate_is[3] == LIVES ||                  \
         intermediate_is[4] == LIVES || PRE_EXEC(1) || PRE_EXEC(2) || PRE_EXEC(3) || PRE_EXEC(4))

/* ---- service.c ---- */

proctype service(byte who; byte mine)
{
        {
                /* service_store_pid() */
                if
                :: launch != INTENT -> goto leave
                :: else
                fi;
                if
                :: generation != mine -> goto leave
                :: else
                fi;
#ifdef LAST_PID_COMES_FIRST
                last_pid = who;
                pids = who;
#else
                pids = who;
                last_pid = who;
#endif
#ifndef SERVICE_LOOKS_ONCE
                if
                :: launch == FAILED -> goto leave
                :: else
                fi;
#endif
                if
                :: goto leave /* some step fails */
                :: atomic {
                        service_is[who] == FORKED;
                        service_is[who] = RUNS;
                        execed[who] = 1;
                        execs[mine]++;
                        assert(execs[mine] == 1); /* never twice */
                        assert(record_generation == mine && record_running) /* and only when it is known */
                   }
                fi;
                if
                :: skip
                :: true ->
end_for_ever:
                        false
                fi;
leave:
                service_is[who] = ZOMBIE
        } unless {
                service_is[who] == ZOMBIE || service_is[who] == GONE
        }
}

/* ---- start.c ---- */

inline start_note(mine, what, died)
{
        if
        :: generation == mine ->
                if
                :: launch == INTENT ->
                        launcher_died = died;
                        d_step {
                                if
                                :: launch == INTENT -> launch = what
                                :: else
                                fi
                        }
                :: else
                fi
        :: else
        fi
}

proctype intermediate(byte self; byte mine)
{
        byte who;

        {
                atomic {
                        services++;
                        who = services;
                        service_is[who] = FORKED;
                        parent_of[who] = self;
                        generation_of[who] = mine;
                        run service(who, mine)
                }
                service_is[who] != FORKED; /* vfork(): until it execs or ends */
                if
                :: execed[who] -> start_note(mine, EXECED, 0)
                :: else -> start_note(mine, FAILED, 0)
                fi;
                intermediate_is[self] = ZOMBIE
        } unless {
                intermediate_is[self] != LIVES
        }
}

/* ---- plans.c ---- */

inline settle(mine)
{
        if
        :: generation != mine || launch != INTENT
        :: else ->
                who = pids;
                if
                :: who > 0 && execed[who] && service_is[who] != GONE -> /* its name is another one */
                        start_note(mine, EXECED, 0)
                :: else ->
#ifdef LAUNCHER_LOOKS_FIRST
                        who = pids;
                        start_note(mine, FAILED, 1);
#else
                        start_note(mine, FAILED, 1);
                        who = pids;
#endif
#ifndef LAUNCHER_DOES_NOT_KILL
                        d_step {
                                if
                                :: who > 0 && generation == mine && service_is[who] != GONE -> service_is[who] = ZOMBIE
                                :: else
                                fi
                        }
#endif
                fi
        fi
}

#define CHILD_DIED(i)                                                                                                  \
        atomic { intermediate_is[i] == ZOMBIE; dead = i; intermediate_is[i] = GONE };                              \
        settle(asked[dead]);                                                                                           \
        dead = 0

proctype launcher(byte self)
{
        byte who, dead;
        byte asked[MOST + 1];

        {
end_poll:
                do
                :: atomic {
                        plan != 0 ->
                        intermediates++;
                        asked[intermediates] = plan;
                        intermediate_is[intermediates] = LIVES;
                        run intermediate(intermediates, plan);
                        plan = 0
                   }
                :: CHILD_DIED(1)
                :: CHILD_DIED(2)
                :: CHILD_DIED(3)
                :: CHILD_DIED(4)
                :: manager_now == 0 -> break
                od;
                launcher_now = 0
        } unless {
                launcher_now != self
        }
}

/* ---- the manager ---- */

inline slot_free()
{
        pids = 0;
        launch = FREE
}

inline pid_look()
{
        seen = pids;
        if
        :: seen == 0 -> seen = last_pid
        :: else
        fi
}

/* launch_command(): the slot first, then the commit, then the message */
inline start_begin()
{
        pids = 0;
        launcher_died = 0;
        last_pid = 0;
        generation++;
        launch = INTENT;
#ifdef SENT_BEFORE_THE_COMMIT
        plan = generation;
#endif
        atomic {
                record_generation = generation;
                record_launching = 1;
                record_running = 1;
                begun++
        }
#ifndef SENT_BEFORE_THE_COMMIT
        plan = generation
#endif
}

/* launch_look(): the start has come to its end */
inline start_look()
{
        pid_look();
        if
        :: launch == FAILED && seen == 0 ->
                lost = launcher_died;
                atomic { record_launching = 0; record_running = 0; record_generation = 0; ended++ }
#ifndef SLOT_IS_USED_AT_ONCE
                if
                :: lost -> set_aside = 1 /* a service-to-be that nobody saw may still store its who: no use of it again */
                :: else -> slot_free()
                fi
#else
                slot_free()
#endif
        :: else -> record_launching = 0
        fi
}

inline exit_take()
{
        if
        :: ring[tail] == record_generation && record_running ->
                atomic { record_launching = 0; record_running = 0; record_generation = 0; ended++ }
                tail++;
                slot_free()
        :: else -> tail++
        fi
}

proctype manager(byte self)
{
        bit set_aside, lost, send_again;
        byte seen;

        {
                /* recover.c */
                if
                :: launch != FREE && generation != record_generation -> slot_free()
                :: else
                fi;
                if
                :: record_launching && launch == INTENT ->
                        pid_look();
                        if
#ifdef STARTED_AGAIN_WITHOUT_A_LOOK
                        :: true -> send_again = 1
#else
                        :: seen == 0 -> send_again = 1
                        :: else -> launch = EXECED
#endif
                        fi
                :: else
                fi;
end_turn:
                do
                :: send_again -> send_again = 0; plan = generation
                :: record_generation == 0 && begun < STARTS && !set_aside && head == tail -> start_begin()
                :: record_launching && launch != INTENT -> start_look()
#ifdef EXIT_IS_TAKEN_BEFORE_THE_LAUNCH_ENDS
                :: head != tail -> exit_take()
#else
                :: head != tail && !record_launching -> exit_take()
                :: head != tail && record_launching && launch != INTENT -> start_look()
#endif
                :: launcher_now == 0 -> manager_now = 0 /* starting over */
                od
        } unless {
                manager_now != self
        }
}

/* ---- the keeper ---- */

inline reap(who)
{
        if
        :: pids == who ->
                ring[head] = generation;
#ifndef KEEPER_DOES_NOT_NOTE_THE_PID
                last_pid = who;
#endif
                pids = 0;
                head++;
                assert(!exit_told[who]);
                exit_told[who] = 1
        :: else
        fi;
        service_is[who] = GONE
}

#define REAPABLE(p) (service_is[p] == ZOMBIE && intermediate_is[parent_of[p]] != LIVES)

active proctype keeper()
{
end_keeper:
        do
        :: REAPABLE(1) -> reap(1)
        :: REAPABLE(2) -> reap(2)
        :: REAPABLE(3) -> reap(3)
        :: REAPABLE(4) -> reap(4)
#ifdef KEEPER_DOES_NOT_WAIT
        :: atomic { manager_now == 0 && launcher_now == 0 ->
#else
        :: atomic { manager_now == 0 && launcher_now == 0 && !HOLDS_LIFE ->
#endif
                plan = 0;
                managers++;
                manager_now = managers;
                launcher_now = managers;
                run launcher(managers);
                run manager(managers)
           }
        od
}

/* ---- */

active proctype killer()
{
        byte kills;

end_kills:
        do
        :: atomic { kills < KILLS && manager_now != 0 -> kills++; manager_now = 0 }
        :: atomic { kills < KILLS && launcher_now != 0 -> kills++; launcher_now = 0 }
        :: atomic { kills < KILLS && intermediate_is[1] == LIVES -> kills++; intermediate_is[1] = ZOMBIE }
        :: atomic { kills < KILLS && intermediate_is[2] == LIVES -> kills++; intermediate_is[2] = ZOMBIE }
        :: atomic { kills < KILLS && PRE_EXEC(1) -> kills++; service_is[1] = ZOMBIE }
        :: atomic { kills < KILLS && PRE_EXEC(2) -> kills++; service_is[2] = ZOMBIE }
        od
}

/* What runs is in the record; and its start did not fail, unless the launcher was killed between noting that and the
 * kill: then its exit will come by the ring. */
#define RUNS_KNOWN(p)                                                                                                  \
        (service_is[p] != RUNS || (pids == p && record_generation == generation_of[p] && record_running &&             \
                                   (launch == EXECED || managers > 1)))

active proctype judge()
{
        timeout;
        assert(!record_launching && head == tail); /* every start came to an end */
        assert(RUNS_KNOWN(1) && RUNS_KNOWN(2) && RUNS_KNOWN(3) && RUNS_KNOWN(4));
        assert(!record_running || (pids != 0 && service_is[pids] == RUNS)); /* no exit was lost */
        assert(begun == ended || (begun == ended + 1 && record_running))
}
