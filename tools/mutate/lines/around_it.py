"""Of what runs the programs."""

from __future__ import annotations

from mutate.lines.mutation import AIRFLOW, Mutation

AIRFLOW_STORES = "tests/test_airflow_stores.py"

MUTATIONS = (
    Mutation(
        "the scheduler asks the runs at work to end when it is told to",
        "P1",
        "deploy/schedule.py",
        "                    os.killpg(process.pid, signal.SIGTERM)\n",
        "                    pass\n",
        ("tests/test_compose.py", "-k", "asked_to_end"),
    ),
    Mutation(
        "no run begins once the scheduler was told to end",
        "P1",
        "deploy/schedule.py",
        "            if self._ended:\n",
        "            if False:\n",
        ("tests/test_compose.py", "-k", "asked_to_end"),
    ),
    Mutation(
        "settings come from Meltano Hub's definition as text, which is read strictly",
        "P11",
        "tools/about.py",
        '        "kind": "string",\n',
        '        "kind": "boolean",\n',
        ("tests/test_hub.py", "-k", "what_the_programs_say"),
    ),
    Mutation(
        "the DAG file names the least Airflow",
        "P7",
        "plugins/airflow/dags/orders_into_freshbooks.py",
        "    raise ImportError(message) from error\n",
        "    raise\n",
        (f"{AIRFLOW_STORES}::test_the_least_airflow_is_said_alike_by_pages_plugin_and_dag_file",),
    ),
    Mutation(
        "stores of one account in Airflow's list share its ledger, and with it its lock",
        "P1",
        f"{AIRFLOW}/orders_into_freshbooks_stores.py",
        '        if len({ledgers[store["name"]] for store in members}) > 1:\n',
        "        if False:\n",
        (f"{AIRFLOW_STORES}::test_an_account_has_one_ledger_and_a_ledger_one_account",),
    ),
    Mutation(
        "Airflow runs one store of an account at a time",
        "P1",
        f"{AIRFLOW}/orders_into_freshbooks_stores.py",
        '        pool(account): {"slots": 1, ',
        '        pool(account): {"slots": 2, ',
        (f"{AIRFLOW_STORES}::test_stores_of_an_account_share_a_pool_in_which_one_runs_at_a_time",),
    ),
    Mutation(
        "a secret in Airflow's list of stores is refused",
        "P9",
        f"{AIRFLOW}/orders_into_freshbooks_stores.py",
        '        if SECRET.fullmatch(variable) and value and not value.startswith("sqlite:"):\n',
        "        if False:\n",
        (f"{AIRFLOW_STORES}::test_a_secret_in_the_list_is_refused_without_being_told",),
    ),
    Mutation(
        "a store of Airflow's list says which shop it reads",
        "P11",
        f"{AIRFLOW}/orders_into_freshbooks_stores.py",
        "    if not env.get(HASH):\n",
        "    if False:\n",
        (f"{AIRFLOW_STORES}::test_a_store_says_which_it_is_and_no_two_are_the_same",),
    ),
    Mutation(
        "two stores of Airflow's list never read one shop",
        "P1",
        f"{AIRFLOW}/orders_into_freshbooks_stores.py",
        '        (HASH, [store["env"][HASH] for store in stores]),\n',
        "",
        (f"{AIRFLOW_STORES}::test_a_store_says_which_it_is_and_no_two_are_the_same",),
    ),
    Mutation(
        "stores that Airflow runs at once have bookmarks in folders of their own",
        "P6",
        f"{AIRFLOW}/orders_into_freshbooks_stores.py",
        '        own = folder / "stores" / name\n',
        '        own = folder / "stores"\n',
        (
            f"{AIRFLOW_STORES}::test_each_store_has_a_source_a_bookmark_and_a_folder_of_meltano_s_of_its_own",
        ),
    ),
)
