using System.Text.Json.Nodes;
using Orders.Architecture.Tests.Docs.Generated;
using Orders.Workers;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>Each process has its Deployment, the settings that its host reads, and its own secrets and no other's.</summary>
[TestFixture("demo"), TestFixture("production")]
public sealed class ProcessTests(string overlay)
{
    private static readonly string[] StepNames = [.. Steps.Catalogue.Steps.Select(s => s.Name)];
    private static readonly string[] Processes = [.. StepNames, "api", "dashboard"];

    private static readonly string[] Passwords = ["Database__Password", "RabbitMq__Password"];

    // Of libraries, and what ConnectionStrings__Postgres is made of.
    private static readonly string[] NoSettings =
    [
        "DATABASE_HOST",
        "DATABASE_PORT",
        "MASSTRANSIT_USAGE_TELEMETRY",
        "PGGSSENCMODE",
    ];

    // Secrets of a process beside its two passwords.
    private static readonly Dictionary<string, string[]> MoreSecrets = new()
    {
        ["api"] = ["PersonalData__Secret"],
        ["dashboard"] = ["Audit__SigningKey", "PersonalData__Secret"],
        ["warehouse"] = ["Warehouse__Secret"],
    };

    private IReadOnlyList<Pods> _pods = null!;
    private IReadOnlyList<JsonObject> _objects = null!;

    [OneTimeSetUp]
    public async Task BuildAsync()
    {
        _pods = await Pods.OfAsync(overlay);
        _objects = await Kustomize.ObjectsAsync(overlay);
    }

    private IEnumerable<Pods> Hosts => _pods.Where(p => p.Kind == "Deployment" && Processes.Contains(p.Name));

    [Test]
    public void Every_process_has_a_deployment_and_a_disruption_budget()
    {
        Assert.That(Hosts.Select(p => p.Name), Is.EquivalentTo(Processes));
        Assert.That(
            _objects.Where(o => Pods.KindOf(o) == "PodDisruptionBudget").Select(Budget),
            Is.EquivalentTo(Processes.Select(p => (p, p, 1)))
        );
    }

    [Test]
    public void Every_step_runs_alone_in_its_deployment()
    {
        foreach (var pods in Hosts.Where(p => StepNames.Contains(p.Name)))
        {
            Assert.That(pods.Environment["Workers__Steps"], Is.EqualTo(pods.Name));
            Assert.That(pods.Container["args"]!.ToJsonString(), Is.EqualTo("""["run"]"""), pods.Name);
        }
    }

    [Test]
    public async Task Every_variable_is_a_setting_that_the_host_reads_and_none_that_it_requires_is_missing()
    {
        var all = await SettingsPart.AllAsync();
        Assert.Multiple(() =>
        {
            foreach (var pods in _pods.Where(p => p.Name is "deploy" || Processes.Contains(p.Name)))
            {
                var read = all.Where(s =>
                        s.Hosts.Contains(HostOf(pods.Name))
                        && (s.Step is null || s.Step == pods.Name || IsMail(s, pods))
                    )
                    .ToArray();
                string[] names = [.. read.SelectMany(s => SettingsFiles.Names(s.Key)), .. NoSettings];
                string[] given = [.. pods.Environment.Keys, .. pods.Secrets.Keys];
                // <PROCESS>_DB_PASSWORD and its like, which the next test compares.
                var known = given.Where(name =>
                    pods.Kind != "Job" || !name.EndsWith("_PASSWORD", StringComparison.Ordinal)
                );
                Assert.That(known, Is.SubsetOf([.. names, "ORDERS_ADMIN_PASSWORD"]), $"variables of {pods.Name}");
                string[] management = pods.Name is "dashboard" or "deploy" ? ["RabbitMq__ManagementUri"] : [];
                var required = read.Where(s => s.Default == "required")
                    .SelectMany(s => SettingsFiles.Names(s.Key))
                    .Concat(management);
                // The dashboard reads the mail server only for alerts by mail.
                Assert.That(
                    required.Where(name =>
                        pods.Name != "dashboard" || !name.StartsWith("Email__", StringComparison.Ordinal)
                    ),
                    Is.SubsetOf(given),
                    $"required settings of {pods.Name}"
                );
            }
        });
    }

    [Test]
    public void Every_process_has_its_own_credentials_and_no_others()
    {
        Assert.Multiple(() =>
        {
            foreach (var pods in Hosts)
            {
                Assert.That(pods.Environment["RabbitMq__Username"], Is.EqualTo($"orders_{pods.Name}"));
                Assert.That(
                    pods.Environment["ConnectionStrings__Postgres"],
                    Is.EqualTo($"Host=postgres-rw;Port=5432;Database=orders;Username=orders_{pods.Name}")
                );
                Assert.That(
                    pods.Secrets,
                    Is.EquivalentTo(
                        Passwords
                            .Concat(MoreSecrets.GetValueOrDefault(pods.Name, []))
                            .Select(file => KeyValuePair.Create(file, $"{SecretOf(file, pods.Name)}/{file}"))
                    ),
                    pods.Name
                );
                Assert.That(pods.Spec.ToJsonString(), Does.Not.Contain("secretKeyRef"), pods.Name);
            }
        });
    }

    [Test]
    public void The_deployment_sets_the_password_that_each_process_logs_in_with()
    {
        var job = _pods.Single(p => p.Kind == "Job");
        Assert.That(job.Container["args"]!.ToJsonString(), Is.EqualTo("""["deploy"]"""));
        Assert.Multiple(() =>
        {
            foreach (var process in Processes)
            {
                var name = process.ToUpperInvariant();
                Assert.That(job.Secrets[$"{name}_DB_PASSWORD"], Is.EqualTo($"orders-{process}/Database__Password"));
                Assert.That(job.Secrets[$"{name}_MQ_PASSWORD"], Is.EqualTo($"orders-{process}/RabbitMq__Password"));
            }

            Assert.That(job.Secrets["Database__Password"], Is.EqualTo("postgres-app/password"));
            Assert.That(job.Secrets["RabbitMq__Password"], Is.EqualTo("rabbitmq-default-user/password"));
            Assert.That(job.Environment["ConnectionStrings__Postgres"], Does.EndWith("Username=orders_owner"));
        });
    }

    // docs/kubernetes.md: kubectl apply -l 'app.kubernetes.io/component!=process', then wait for the Job, then the rest.
    [Test]
    public void The_first_apply_leaves_out_the_processes_and_nothing_else()
    {
        var left = _objects.Where(o =>
            o["metadata"]!["labels"]?["app.kubernetes.io/component"]?.ToString() == "process"
        );
        Assert.That(
            left.Select(o => (Pods.KindOf(o), Pods.NameOf(o))),
            Is.EquivalentTo(Processes.Select(p => ("Deployment", p)))
        );
    }

    [Test]
    public void Production_makes_no_secrets() =>
        Assert.That(_objects.Any(o => Pods.KindOf(o) == "Secret"), Is.EqualTo(overlay == "demo"));

    [Test]
    public void Every_pod_of_ours_is_confined_and_probed()
    {
        Assert.Multiple(() =>
        {
            foreach (var pods in _pods)
            {
                var pod = pods.Spec["securityContext"]!;
                var container = pods.Container["securityContext"]!;
                Assert.That(pod["runAsNonRoot"]!.GetValue<bool>(), pods.Name);
                Assert.That(pod["seccompProfile"]!["type"]!.ToString(), Is.EqualTo("RuntimeDefault"), pods.Name);
                Assert.That(container["readOnlyRootFilesystem"]!.GetValue<bool>(), pods.Name);
                Assert.That(container["allowPrivilegeEscalation"]!.GetValue<bool>(), Is.False, pods.Name);
                Assert.That(container["capabilities"]!["drop"]!.ToJsonString(), Is.EqualTo("""["ALL"]"""), pods.Name);
                Assert.That(pods.Container["resources"]!["limits"]!["memory"]!.ToString(), Is.EqualTo("512Mi"));
                Assert.That(pods.Spec["terminationGracePeriodSeconds"]!.GetValue<long>(), Is.EqualTo(30), pods.Name);
                Assert.That(pods.Spec["automountServiceAccountToken"]!.GetValue<bool>(), Is.False, pods.Name);
                var empty = pods.Spec["volumes"]!.AsArray().Where(v => v!["emptyDir"] is not null).ToArray();
                Assert.That(empty.Select(v => v!["emptyDir"]!["sizeLimit"]), Is.All.Not.Null, pods.Name);
            }

            foreach (var pods in Hosts)
            {
                // A process that cannot do its work ends itself.
                Assert.That(pods.Spec["restartPolicy"]?.ToString() ?? "Always", Is.EqualTo("Always"), pods.Name);
                Assert.That(
                    pods.Container["livenessProbe"]!["httpGet"]!["path"]!.ToString(),
                    Is.EqualTo("/health/live")
                );
                Assert.That(
                    pods.Container["readinessProbe"]!["httpGet"]!["path"]!.ToString(),
                    Is.EqualTo("/health/ready")
                );
                Assert.That(pods.Spec["topologySpreadConstraints"]!.AsArray(), Has.Count.EqualTo(2), pods.Name);
            }
        });
    }

    private static (string, string, int) Budget(JsonObject budget) =>
        (
            Pods.NameOf(budget),
            budget["spec"]!["selector"]!["matchLabels"]!["app.kubernetes.io/name"]!.ToString(),
            (int)budget["spec"]!["maxUnavailable"]!.GetValue<long>()
        );

    private static bool IsMail((string Key, string Default, string[] Hosts, string? Step) setting, Pods pods) =>
        pods.Name == "dashboard" && setting.Key.StartsWith("Email:Smtp:", StringComparison.Ordinal);

    private static string SecretOf(string file, string process) =>
        file.StartsWith("PersonalData", StringComparison.Ordinal) ? "orders-personal-data" : $"orders-{process}";

    private static string HostOf(string name) =>
        name switch
        {
            "api" => "API",
            "dashboard" or "deploy" => name,
            _ => "worker",
        };
}
