#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# check.py [--large] MODEL: has spin look at every state of MODEL.pml, within some bounds, and then at each of its
# mutations, of which each must be found. A mutation is one named change of the model (-D NAME), a mistake that the code
# could make. Prints a table: what was looked at, what came of it.
#
# --large: wider bounds (minutes, and up to 8 GB of memory), and the mutations that only these find.
#
# Not here: the models, and what they leave out (the head of each says so). Invariant: a search that was cut short (by
# memory, depth or time) never counts as passed. Exit status 77 where spin is missing.
import concurrent.futures, os, re, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


class Model:
    def __init__(self, quick, large, mutations, large_mutations=()):
        self.quick, self.large = quick, large  # bounds: lists of -D words, each one search
        self.mutations = mutations  # name -> (bounds, what it stands for)
        self.large_mutations = dict(large_mutations)


ROWS, LOCK, AGAIN = 'HOLDERS=0 PUBLISHES=1', 'COARSE DEATHS=0', 'COARSE HOLDERS=0 PUBLISHES=1 DEATHS=0 ENDS=1 SNAPSHOTS=2'
ONE, TWO = 'STARTS=2 KILLS=1', 'STARTS=1 KILLS=2'
STALL, SHOT = 'MESSAGES=2 KILLS=0', 'MESSAGES=1 KILLS=1'

MODELS = {
    'table': Model(
        [ROWS, LOCK, 'COARSE DEATHS=0 ABUSES=1 PUBLISHES=1', 'COARSE PUBLISHES=1', AGAIN],
        ['HOLDERS=0 PUBLISHES=2', 'COARSE PUBLISHES=2', 'COARSE ABUSES=2 DEATHS=0', AGAIN],
        {
            'SEQUENCE_IS_NOT_ODD': (ROWS, 'the writer does not say that it writes'),
            'SEQUENCE_BEGINS_ANEW': (ROWS, 'a new manager does not continue the sequence'),
            'SUCCESSOR_WRITES_WHAT_CHANGED': (ROWS, 'a new manager does not write every row'),
            'SEQUENCE_IS_NOT_COMPARED': (ROWS, 'the reader does not look at the sequence again'),
            'ODD_IS_BELIEVED': (ROWS, 'the reader does not mind an odd sequence'),
            'HEADER_IS_BELIEVED_AT_ONCE': (ROWS, 'a header that is being written is judged'),
            'PIECES_ARE_NOT_VERIFIED': (ROWS, 'rows are taken without their checksums'),
            'MANAGER_WAITS': (LOCK, 'the manager waits for the semaphore'),
            'READER_WAITS': (LOCK, 'a reader waits for the semaphore without a bound'),
            'LOCK_IS_NEVER_BROKEN': (LOCK, 'a semaphore that stays held is not replaced'),
            'GENERATION_BEGINS_ANEW': ('COARSE PUBLISHES=1', 'a new manager does not continue the generation'),
            'LOCK_OUTLIVES_THE_OBJECT': (AGAIN, 'a reader keeps the semaphore of an object that is gone'),
        }),
    'launch': Model(
        [ONE, TWO],
        ['STARTS=2 KILLS=2'],
        {
            'SERVICE_LOOKS_ONCE': (ONE, 'service_store_pid() does not look again'),
            'LAUNCHER_LOOKS_FIRST': (ONE, 'settle() looks before it notes'),
            'LAUNCHER_DOES_NOT_KILL': (ONE, 'settle() does not kill what it sees'),
            'LAST_PID_COMES_FIRST': (ONE, 'last_pid is stored before pids[]'),
            'SLOT_IS_USED_AT_ONCE': (ONE, 'the slot of a launcher that died is used again'),
            'SENT_BEFORE_THE_COMMIT': (ONE, 'the message is sent before the intent is committed'),
            'EXIT_IS_TAKEN_BEFORE_THE_LAUNCH_ENDS': (ONE, 'the exit overtakes the end of the launch'),
            'KEEPER_DOES_NOT_WAIT': (ONE, 'the next manager runs before the life pipe has ended'),
            'STARTED_AGAIN_WITHOUT_A_LOOK': (TWO, 'recovery sends every unfinished start again'),
        },
        {'KEEPER_DOES_NOT_NOTE_THE_PID': ('STARTS=1 KILLS=3', 'record_exit() leaves last_pid as it is')}),
    'exits': Model(
        ['DEATHS=1', 'DEATHS=2'],
        ['DEATHS=3'],
        {
            'HEAD_COMES_BEFORE_THE_ENTRY': ('', 'the ring is counted on before its entry is written'),
            'SLOT_IS_NOT_LOOKED_AT_AGAIN': ('', 'the keeper does not see that a slot was freed under its hands'),
            'KEEPER_LOOKS_ONCE': ('', 'the keeper does not look again behind an orphan entry'),
            'MANAGER_DOES_NOT_LOOK_AT_ORPHANS': ('', 'a claim does not look at what has ended already'),
            'GENERATION_IS_NOT_COMPARED': ('', 'an exit goes to whoever has the slot now'),
            'RUNNING_IS_NOT_ASKED': ('', 'an exit that was committed is taken again'),
            'SLOT_IS_FREED_BEFORE_THE_COMMIT': ('', 'a slot is freed ahead of the commit'),
            'ACKNOWLEDGED_BEFORE_THE_COMMIT': ('', 'an exit is acknowledged ahead of the commit'),
            'CLAIMED_BEFORE_THE_COMMIT': ('', 'a claim is made ahead of the commit that holds it'),
            'CLAIM_IS_NOT_MADE_AGAIN': ('', 'the next manager does not repeat the claims of the one before'),
            'ORPHAN_IS_FORGOTTEN_BEFORE_THE_COMMIT': ('', 'an orphan is forgotten before its end is committed'),
            'RING_IS_NOT_ASKED': ('', 'a claim is repeated though the ring has told of its end'),
            'RING_IS_ASKED_ONCE': ('', 'a claim does not look again at what the ring has told'),
        }),
    'fds': Model(
        ['DEATHS=2', 'DEATHS=3 ROOM=2'],
        ['DEATHS=5', 'DEATHS=5 ROOM=3'],
        {
            'RECORD_BEFORE_THE_KEEPER': ('', 'an fd is in the record before it is on its way to the keeper'),
            'RECEIVED_BEFORE_THE_COMMIT': ('', 'the message is received ahead of the commit'),
            'DROPPED_BEFORE_THE_COMMIT': ('', 'the keeper forgets an fd ahead of the commit'),
            'KEEPER_DOES_NOT_DRAIN': ('', 'the next manager is born before what the last one sent was taken'),
            'KNOWN_IS_NOT_ASKED': ('', 'a message that comes again has its fd kept twice'),
            'UNKNOWN_IS_NOT_DROPPED': ('', 'what no record knows stays in the keeper'),
            'QUEUE_FULL_IS_FORGOTTEN': ('', 'the message is received though the keeper had no room'),
            'NUMBER_MEETS_ITS_DROP': ('', 'a number that is given again is dropped afterwards'),
        }),
    'spares': Model(
        [STALL, SHOT],
        ['MESSAGES=2 KILLS=1', 'MESSAGES=2 KILLS=0 PROCESSES=6'],
        {
            'PLACE_IS_USED_UNREAD': (STALL, 'a place is used again before the spare has copied its message'),
            'READ_IS_SAID_TOO_EARLY': (STALL, 'has_read comes before the copy'),
            'READ_IS_SAID_TOO_LATE': (STALL, 'has_read comes behind other_waits()'),
            'NONE_LEFT_IS_NOT_TOLD': (STALL, 'the last spare does not wake the launcher'),
            'PLACE_STAYS_THERE': (STALL, 'is_there is not cleared'),
            'NO_SECOND_LOOK': (STALL, 'a spare that left is forgotten after the look at the other'),
            'LAUNCHER_NEVER_LISTENS': (STALL, 'without spares nobody receives'),
            'DEAD_SPARE_KEEPS_ITS_PLACE': (SHOT, 'a spare killed before it has read is not settled'),
        },
        {'READ_IS_NOT_CLEARED': ('MESSAGES=2 KILLS=1', 'has_read of the last one is left in the place')}),
}


def run(arguments, **keywords):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **keywords)


def search(model, words, megabytes, long):
    """('clean' | 'found' | 'broken', what, states): one search through all states."""
    directory = tempfile.mkdtemp(prefix='supd-model-')
    try:
        made = run(['spin', '-a'] + ['-D' + w for w in words] + [os.path.join(HERE, model + '.pml')], cwd=directory)
        if made.returncode != 0 or 'Error' in made.stdout or not os.path.exists(directory + '/pan.c'):
            return 'broken', made.stdout, 0
        made = run([os.environ.get('CC', 'gcc').split()[-1], '-O1' if long else '-O0', '-w', '-DSAFETY', f'-DMEMLIM={megabytes}', '-o', 'pan', 'pan.c'],
                   cwd=directory)
        if made.returncode != 0:
            return 'broken', made.stdout, 0
        said = run(['./pan', '-m1000000', '-n'], cwd=directory).stdout
        states = re.search(r'^ *(\S+) states, stored', said, re.M)
        errors = re.search(r'errors: (\d+)', said)
        states = int(float(states.group(1))) if states else 0
        what = re.search(r'^pan:\d+: (.*?)(?: \(at depth (\d+)\))?$', said, re.M)
        if errors and int(errors.group(1)) > 0 and what:
            return 'found', what.group(1), states
        if not errors or 'Search not completed' in said or 'max search depth' in said or 'MEMLIM' in said:
            return 'broken', said, states
        return 'clean', '', states
    finally:
        shutil.rmtree(directory)


def main():
    large = '--large' in sys.argv
    names = [a for a in sys.argv[1:] if a != '--large']
    if len(names) != 1 or names[0] not in MODELS:
        sys.exit(f'usage: check.py [--large] {"|".join(MODELS)}')
    if not shutil.which('spin'):
        print('skip: spin is not installed (package spin)')
        return 77
    name, model = names[0], MODELS[names[0]]
    rows = [(bounds, None, '') for bounds in (model.large if large else model.quick)]
    mutations = dict(model.mutations, **(model.large_mutations if large else {}))
    rows += [(bounds, mutation, says) for mutation, (bounds, says) in mutations.items()]

    def one(row):
        began = time.monotonic()
        return search(name, row[0].split() + ([row[1]] if row[1] else []), 8000 if large else 2000, large or not row[1]), time.monotonic() - began

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(1 if large else min(2, os.cpu_count() or 1)) as pool:
        for (bounds, mutation, says), ((result, what, states), took) in zip(rows, pool.map(one, rows)):
            good = result == ('found' if mutation else 'clean')
            bad += not good
            line = f'{mutation}: {says}' if mutation else f'as built, {bounds}'
            verdict = {'clean': 'holds', 'found': 'caught' if mutation else 'DOES NOT HOLD', 'broken': 'NOT SEARCHED'}[result]
            if mutation and result == 'clean':
                verdict = 'NOT CAUGHT'
            print(f'{"ok  " if good else "FAIL"} {name}  {line}  ->  {verdict}  ({states} states, {took:.1f} s)', flush=True)
            if result == 'found':
                print(f'         {what[:150]}')
            if result == 'broken':
                print(what)
    print(f'{name}: {len(rows)} searches, {bad} not as they must be')
    return 1 if bad else 0


sys.exit(main())
