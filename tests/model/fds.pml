/* SPDX-License-Identifier: MIT
 *
 * How an fd travels that a service gives to be kept: service → notify socket → manager → keeper → next manager
 * (src/programs/supd-manager/{notify,fdstore,engine}.c, src/programs/supd/{store,manager}.c). One unit sends two fds and
 * then takes the first one back. The manager may be killed at any step.
 *
 * Not here: a keeper that dies (its fds die with it, which is said), fds that are refused because there are too many,
 * what a service does with them. A datagram that is looked at and not received stays where it is, with its fds.
 *
 * Invariant, shown by the assertions: an fd that a record knows is there for whoever takes over; at rest the keeper
 * holds exactly what the records know, each once.
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef ROOM
#define ROOM 1 /* messages that wait for the keeper; behind that, EAGAIN */
#endif
#define FDS 2
#define MESSAGES 3 /* FDSTORE=1 with fd 1, with fd 2; FDSTOREREMOVE=1 of the first */
#define IDS 5

mtype = { STORE, DROP };

chan to_keeper = [ROOM] of { mtype, byte, byte };
byte keeper_fd[IDS + 1]; /* by the number in its name; 0 = nothing is kept under it */
byte inherited[IDS + 1]; /* what a manager was born with */

/* the record, as last committed */
byte record_id[FDS + 1], record_next = 1;

byte sent, received;
byte manager_now, managers;
bit gone = 1;

/* ---- the keeper: store.c ---- */

inline take(kind, id, fd)
{
        d_step {
                if
                :: kind == STORE -> keeper_fd[id] = fd /* replacing */
                :: kind == DROP -> keeper_fd[id] = 0
                fi;
                id = 0;
                fd = 0
        }
}

active proctype keeper()
{
        mtype kind;
        byte id, fd;

end_keeper:
        do
        :: atomic { to_keeper?kind,id,fd -> take(kind, id, fd) }
        :: atomic {
                manager_now == 0 && gone ->
#ifndef KEEPER_DOES_NOT_DRAIN
                do
                :: to_keeper?kind,id,fd -> take(kind, id, fd)
                :: empty(to_keeper) -> break
                od;
#endif
                skip;
                d_step {
                        inherited[1] = keeper_fd[1];
                        inherited[2] = keeper_fd[2];
                        inherited[3] = keeper_fd[3];
                        inherited[4] = keeper_fd[4];
                        inherited[5] = keeper_fd[5]
                };
                gone = 0;
                managers++;
                manager_now = managers;
                run manager(managers)
           }
        od
}

/* ---- the manager: notify.c, fdstore.c ---- */

inline commit()
{
        d_step { record_id[1] = id[1]; record_id[2] = id[2]; record_next = next }
}

/* fdstore_flush(): behind the commit; what does not arrive now is sent when there is room */
inline flush(i)
{
        atomic {
                drops[i] && nfull(to_keeper) ->
                drops[i] = 0;
                to_keeper!DROP,i,0
        }
}

inline keep(which)
{
        if
#ifndef KNOWN_IS_NOT_ASKED
        :: id[which] != 0 /* it came before, and the manager died before it was received */
        :: id[which] == 0 ->
#else
        :: true ->
#endif
#ifdef RECORD_BEFORE_THE_KEEPER
                d_step { id[which] = next; next++ };
                commit();
                nfull(to_keeper);
                to_keeper!STORE,id[which],which
#else
#ifdef QUEUE_FULL_IS_FORGOTTEN
                if
                :: nfull(to_keeper) -> to_keeper!STORE,next,which; d_step { id[which] = next; next++ }
                :: full(to_keeper)
                fi;
#else
                to_keeper!STORE,next,which; /* blocks: the message is held, and looked at again */
#ifndef NUMBER_MEETS_ITS_DROP
                drops[next] = 0; /* an unknown one of that number is replaced */
#endif
                d_step { id[which] = next; next++ };
#endif
#ifdef RECEIVED_BEFORE_THE_COMMIT
                received++;
#endif
                commit()
#endif
        fi
}

inline remove(which)
{
        if
        :: id[which] != 0 ->
#ifdef DROPPED_BEFORE_THE_COMMIT
                to_keeper!DROP,id[which],0;
#else
                drops[id[which]] = 1;
#endif
                id[which] = 0;
                commit()
        :: else
        fi
}

/* fdstore_recover() */
inline recover()
{
        d_step { id[1] = record_id[1]; id[2] = record_id[2]; next = record_next };
        assert(id[1] == 0 || inherited[id[1]] == 1); /* "the file descriptor that was kept is lost" */
        assert(id[2] == 0 || inherited[id[2]] == 2);
        d_step {
                for (i : 1 .. IDS) {
                        if
#ifndef UNKNOWN_IS_NOT_DROPPED
                        :: inherited[i] != 0 && id[1] != i && id[2] != i -> drops[i] = 1
#endif
                        :: else
                        fi
                }
                i = 0
        }
}

proctype manager(byte self)
{
        byte id[FDS + 1], next, i;
        bit drops[IDS + 1];

        {
                recover();
end_turn:
                do
                :: flush(1)
                :: flush(2)
                :: flush(3)
                :: flush(4)
                :: flush(5)
                :: sent > received ->
                        if
                        :: received == 0 -> keep(1)
                        :: received == 1 -> keep(2)
                        :: received == 2 -> remove(1)
                        fi;
#ifdef RECEIVED_BEFORE_THE_COMMIT
                        if
                        :: received == 2 || id[received + 1] != next - 1 -> received++
                        :: else
                        fi
#else
                        received++
#endif
                od
        } unless {
                atomic { manager_now != self -> gone = 1 }
        }
}

/* ---- */

active proctype world()
{
        byte deaths;

end_world:
        do
        :: sent < MESSAGES -> sent++
        :: atomic { manager_now != 0 && deaths < DEATHS -> deaths++; manager_now = 0 }
        :: atomic {
                timeout ->
                assert(sent == MESSAGES && received == MESSAGES && empty(to_keeper));
                assert(record_id[1] == 0 && record_id[2] != 0);
                for (deaths : 1 .. IDS) {
                        assert(keeper_fd[deaths] == (record_id[2] == deaths -> 2 : 0))
                }
           }
           break
        od
}
