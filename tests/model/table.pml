/* SPDX-License-Identifier: MIT
 *
 * The status table's protocol: the manager that publishes (src/status/{publish,lock,object,status}.c), the readers
 * (src/libsupstatus/{snapshot,reader-lock}.c), and whoever may write to the semaphore or remove the object. The manager
 * may be killed at any step, or end; its successor takes the object over. A holder of the semaphore may stop for ever.
 *
 * Not here: where texts lie, rows that grow, cut objects and SIGBUS (tests/unit/status), the memory model of the machine
 * (fences as in publish.c and snapshot.c). Time is a choice: whatever may run out may do so at any moment. A copy is
 * read field by field, the header too, in any interleaving with the writer.
 *
 * Invariant, shown by the assertions: what a reader calls whole is of one publish, and never older than what it saw
 * before; a row of pieces is whole; nobody waits for a semaphore without a bound; and after the death or stop of any
 * party one more publish leaves a table, and a semaphore, that are as good as new.
 */
#ifndef PUBLISHES
#define PUBLISHES 2
#endif
#ifndef SNAPSHOTS
#define SNAPSHOTS 1 /* of the reader */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of managers */
#endif
#ifndef ENDS
#define ENDS 0 /* managers that end cleanly, and are started again */
#endif
#ifndef HOLDERS
#define HOLDERS 1 /* others that take the semaphore */
#endif
#ifndef ABUSES
#define ABUSES 0
#endif
#ifdef COARSE /* copies and publishes happen at once: the semaphore is looked at */
#define COPY d_step
#else
#define COPY
#endif
#define OBJECTS 3
#define SEMS 8
#define VERSIONS 8
#define INSANE 3

typedef object {
        byte sequence;
        bit magic, major;
        byte version, generation;
        byte semaphore; /* what generation stands for: for the assertions only */
        byte data[2], text[2] /* a row, its checksum with it; and its texts, which the checksum covers */
};
object o[OBJECTS + 1];
byte objects, object_named; /* 0 = there is none under the name */

byte sem[SEMS + 1]; /* values; INSANE = scribbled over */
byte sems, sem_named;

/* what each publish was to show; for the assertions only */
byte version, shown0[VERSIONS + 1], shown1[VERSIONS + 1];

byte manager_now, managers; /* which of them lives; 0 = none */
bit gone = 1; /* the one that was killed */
byte calm; /* readers, holders and killers that are done */
byte holder_has, reader_has; /* semaphores in hand */

#define SANE(v) (v <= 1)

/* ---- the manager: lock.c ---- */

inline lock_create()
{
        generation++;
        sem_named = 0;
        d_step { sems++; sem[sems] = 1; sem_named = sems; mine = sems }
}

inline lock_try()
{
        if
        :: !SANE(sem[mine]) -> lock = BROKEN
        :: else ->
#ifdef MANAGER_WAITS
                d_step { sem[mine] > 0; sem[mine] = sem[mine] - 1; lock = TAKEN };
#else
                d_step {
                        if
                        :: sem[mine] == 0 -> lock = BUSY
                        :: else -> sem[mine] = sem[mine] - 1; lock = TAKEN
                        fi
                }
#endif
                if
                :: lock == TAKEN && sem[mine] != 0 -> lock = BROKEN
                :: else
                fi
        fi
}

inline lock_release()
{
        if
        :: sem[mine] == 0 ->
                d_step {
                        if
                        :: sem[mine] < INSANE -> sem[mine] = sem[mine] + 1
                        :: else
                        fi
                }
        :: else -> lock_create(); write_out()
        fi
}

/* ---- the manager: object.c, publish.c ---- */

inline object_create()
{
        d_step { objects++; object_named = objects; fd = objects; all = 2 }
}

inline write_out()
{
        if
        :: object_named != fd -> object_create()
        :: else
        fi;
        sequence = sequence | 1;
#ifndef SEQUENCE_IS_NOT_ODD
        o[fd].sequence = sequence;
#endif
        COPY {
                o[fd].data[0] = shown0[version];
                o[fd].text[0] = shown0[version];
                if
#ifdef SUCCESSOR_WRITES_WHAT_CHANGED
                :: all == 2 || shown1[version] == version ->
#else
                :: all || shown1[version] == version ->
#endif
                        o[fd].data[1] = shown1[version];
                        o[fd].text[1] = shown1[version]
                :: else
                fi;
                o[fd].magic = 1;
                o[fd].major = 1;
                o[fd].version = version;
                o[fd].generation = generation;
                o[fd].semaphore = mine;
                sequence++;
                o[fd].sequence = sequence
        };
        all = 0
}

inline publish()
{
        d_step {
                version++;
                shown0[version] = version;
                shown1[version] = shown1[version - 1]
        }
        if
        :: shown1[version] = version /* both rows have changed */
#ifndef COARSE
        :: skip
#endif
        fi;
        lock_try();
        tries = 0;
        do
        :: lock == BUSY && !passed_over && tries < 1 -> tries++; lock_try() /* put off, 20 ms at most */
        :: else -> break
        od;
        if
        :: lock == BUSY && passed_over -> /* 250 ms since it was first found held, or not yet */
                if
                :: lock_create(); passed_over = 0
                :: skip
                fi
        :: lock == BUSY && !passed_over -> passed_over = 1
        :: lock == BROKEN -> passed_over = 0; lock_create()
        :: lock == TAKEN -> passed_over = 0;
#if ABUSES == 0
                assert(holder_has != mine && reader_has != mine)
#endif
        fi;
        write_out();
        if
        :: lock == TAKEN -> lock_release()
        :: else
        fi
}

/* status_publish() with nothing to publish, at the time that it asked for */
inline look_later()
{
        if
        :: passed_over && sem[mine] == 1 -> passed_over = 0
        :: passed_over && sem[mine] != 1 ->
#ifndef LOCK_IS_NEVER_BROKEN
                lock_create();
                write_out();
#endif
                passed_over = 0
        :: else
        fi
}

mtype = { TAKEN, BUSY, BROKEN };

proctype manager(byte self)
{
        byte fd, sequence, generation, mine, tries;
        byte all; /* everything is to be written; 2 = into a new object */
        bit passed_over;
        mtype lock;

        {
                /* status_open() */
                all = 1;
                fd = object_named;
                if
                :: fd == 0 -> object_create()
                :: fd != 0 && o[fd].magic ->
#ifndef SEQUENCE_BEGINS_ANEW
                        sequence = o[fd].sequence;
#endif
#ifndef GENERATION_BEGINS_ANEW
                        generation = o[fd].generation
#else
                        skip
#endif
                :: else
                fi;
                lock_create();
                do
                :: all || version < PUBLISHES -> publish()
                :: else -> break
                od;
                look_later();
#ifdef COARSE
end_quiet:
                calm == 3; /* everybody else is done: now all must be well after one more */
                publish();
                look_later();
                assert(sem_named == mine && sem[mine] == 1);
                assert(object_named == fd && o[fd].sequence % 2 == 0 && o[fd].magic && o[fd].version == version);
                assert(o[fd].semaphore == sem_named);
                assert(o[fd].data[0] == shown0[version]);
                assert(o[fd].data[1] == shown1[version]);
                assert(o[fd].text[0] == shown0[version] && o[fd].text[1] == shown1[version])
#else
end_quiet:
                false
#endif
        } unless {
                atomic { manager_now != self -> gone = 1 }
        }
}

active proctype keeper()
{
        byte deaths, ends;

        do
        :: atomic { manager_now == 0 && gone -> gone = 0; managers++; manager_now = managers; run manager(managers) }
        :: atomic { manager_now != 0 && deaths < DEATHS -> deaths++; manager_now = 0 } /* SIGKILL */
        :: atomic { manager_now != 0 && ends < ENDS -> /* a clean end, and started again */
                ends++;
                manager_now = 0;
                sem_named = 0;
                object_named = 0
           }
        :: atomic { manager_now != 0 -> calm++; break }
        od
}

/* ---- the reader: snapshot.c, reader-lock.c ---- */

mtype = { AGAIN, NOT_YET, ALIEN, WHOLE };

inline header_read()
{
        COPY {
                h_magic = o[fd].magic;
                h_sequence = o[fd].sequence;
                h_major = o[fd].major;
                h_version = o[fd].version;
                h_semaphore = o[fd].semaphore;
                h_generation = o[fd].generation
        };
        if
        :: !h_magic && (h_sequence == 0 || h_sequence % 2) -> r = NOT_YET
        :: !h_magic && !(h_sequence == 0 || h_sequence % 2) -> r = ALIEN
        :: h_magic && !h_major -> r = ALIEN
        :: else -> r = WHOLE
        fi
}

inline rows_read()
{
        COPY {
                data[0] = o[fd].data[0];
                data[1] = o[fd].data[1];
                text[0] = o[fd].text[0];
                text[1] = o[fd].text[1]
        }
}

inline attempt()
{
        before = o[fd].sequence;
        header_read();
#ifdef HEADER_IS_BELIEVED_AT_ONCE
        if
        :: r != WHOLE
#else
        if
        :: r == ALIEN && (before % 2 || o[fd].sequence != before) -> r = AGAIN
        :: r == NOT_YET || (r == ALIEN && before % 2 == 0 && o[fd].sequence == before)
#endif
#ifndef ODD_IS_BELIEVED
        :: r == WHOLE && before % 2 -> r = AGAIN
        :: r == WHOLE && before % 2 == 0 ->
#else
        :: r == WHOLE ->
#endif
                rows_read();
#ifndef SEQUENCE_IS_NOT_COMPARED
                if
                :: o[fd].sequence != before -> r = AGAIN
                :: else
                fi
#endif
        fi;
        if
        :: r == WHOLE ->
                assert(h_version >= seen);
                assert(data[0] == shown0[h_version] && text[0] == data[0]);
                assert(data[1] == shown1[h_version] && text[1] == data[1]);
                seen = h_version
        :: else
        fi;
        d_step { data[0] = 0; data[1] = 0; text[0] = 0; text[1] = 0; before = 0; h_sequence = 0; h_generation = 0; h_semaphore = 0; h_version = 0; h_magic = 0; h_major = 0 }
}

inline reader_lock_open()
{
        if
        :: own == 0 || own_generation != h_generation ->
                own_generation = h_generation;
                own = (h_generation == 0 -> 0 : sem_named)
        :: else
        fi;
        assert(own == 0 || own >= h_semaphore) /* not one that the manager has given up */
}

inline attempt_locked(wait)
{
        header_read();
        if
        :: r == WHOLE ->
                reader_lock_open();
                if
                :: own != 0 && SANE(sem[own]) ->
                        if
                        :: d_step { sem[own] > 0 -> sem[own] = sem[own] - 1; reader_has = own }
#ifdef READER_WAITS
                        :: !wait && sem[own] == 0
#else
                        :: sem[own] == 0 /* busy, or 100 ms are over */
#endif
                        fi
                :: else
                fi
        :: else
        fi;
        r = AGAIN;
        if
        :: reader_has != 0 ->
                attempt();
                if
                :: sem[own] == 0 ->
                        d_step {
                                if
                                :: sem[own] < INSANE -> sem[own] = sem[own] + 1
                                :: else
                                fi;
                                reader_has = 0
                        }
                :: else -> reader_has = 0
                fi
        :: else
        fi
}

/* rows of perhaps different moments */
inline take_pieces()
{
        header_read();
        if
        :: r == WHOLE ->
                rows_read();
#ifndef PIECES_ARE_NOT_VERIFIED
                if
                :: text[0] == data[0] ->
                        assert(shown0[data[0]] == data[0])
                :: else
                fi;
                if
                :: text[1] == data[1] ->
                        assert(shown1[data[1]] == data[1])
                :: else
                fi
#else
                assert(text[0] == data[0] && text[1] == data[1])
#endif
        :: else
        fi;
        d_step { data[0] = 0; data[1] = 0; text[0] = 0; text[1] = 0; before = 0; h_sequence = 0; h_generation = 0; h_semaphore = 0; h_version = 0; h_magic = 0; h_major = 0 }
}

#define RETRY (r == AGAIN || r == NOT_YET)

active proctype reader()
{
        byte fd, n, before, seen, own, own_generation;
        byte data[2], text[2];
        bit h_magic, h_major;
        byte h_sequence, h_version, h_generation, h_semaphore;
        mtype r;

        do
        :: n < SNAPSHOTS ->
                n++;
                if
                :: fd == 0 || object_named != fd -> /* its link count is 0 */
                        fd = object_named;
#ifndef LOCK_OUTLIVES_THE_OBJECT
                        own = 0
#endif
                :: else
                fi;
                if
                :: fd != 0 ->
                        attempt_locked(0);
                        if
                        :: RETRY -> attempt()
                        :: else
                        fi;
#ifdef COARSE /* the rest of the ladder is more of the same */
                        if
                        :: RETRY -> attempt_locked(1)
                        :: else
                        fi;
#endif
                        if
                        :: r == AGAIN -> take_pieces()
                        :: else -> assert(r != ALIEN) /* "this is no status table" */
                        fi
                :: else
                fi
        :: else -> break
        od;
        calm++
}

/* Somebody else with the semaphore, who lets it go or not. */
active proctype holder()
{
        byte n, want;

        do
        :: n < HOLDERS && sem_named != 0 ->
                n++;
                want = sem_named;
                if
                :: d_step { sem[want] > 0 && SANE(sem[want]) -> sem[want] = 0; holder_has = want }
                        if
                        :: goto stopped
                        :: sem[holder_has] == 0 -> d_step { sem[holder_has] = sem[holder_has] + 1; holder_has = 0 }
                        :: sem[holder_has] != 0 -> holder_has = 0
                        fi
                :: sem[want] != 1
                fi
        :: break
        od;
#if ABUSES > 0
        n = 0;
        do
        :: n < ABUSES && sem_named != 0 -> n++; d_step { sem_named != 0 && sem[sem_named] < INSANE -> sem[sem_named] = sem[sem_named] + 1 }
        :: n < ABUSES && sem_named != 0 -> n++; d_step { sem_named != 0 -> sem[sem_named] = INSANE }
        :: n < ABUSES -> n++; object_named = 0
        :: break
        od;
#endif
stopped:
        calm++
}
