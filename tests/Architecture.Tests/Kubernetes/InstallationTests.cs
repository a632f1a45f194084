using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Orders.Architecture.Tests.Settings;
using Orders.Workers;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>What Kubernetes runs is what docker-compose.yml runs: images, servers and their settings, networks.</summary>
public sealed partial class InstallationTests
{
    private static readonly string[] StepNames = [.. Steps.Catalogue.Steps.Select(s => s.Name)];
    private static readonly string Compose = Repository.Read("docker-compose.yml");

    [TestCase("demo"), TestCase("production")]
    public async Task Images_have_the_names_of_compose_and_the_version_of_this_source(string overlay)
    {
        var version = XDocument.Parse(Repository.Read("Directory.Build.props")).Descendants("Version").Single().Value;
        var all = await Pods.OfAsync(overlay);
        Assert.Multiple(() =>
        {
            foreach (var pods in all)
            {
                var image = pods.Container["image"]!.ToString().Split('/')[^1].Split(':');
                var expected = StepNames.Contains(pods.Name) || pods.Name == "deploy" ? "workers" : pods.Name;
                Assert.That(image, Is.EqualTo([$"orders-{expected}", version]), pods.Name);
                Assert.That(Compose, Does.Contain($"image: ${{COMPOSE_PROJECT_NAME}}-{expected}\n"));
            }
        });
    }

    [Test]
    public async Task Servers_have_the_versions_of_compose()
    {
        var (rabbitmq, postgres) = (Image().Match(Compose), PostgresImage().Match(Compose));
        string[] images = [rabbitmq.Groups[1].Value, $"postgres:{postgres.Groups[1]}"];
        Assert.That(await ImagesAsync("demo"), Is.EquivalentTo(images));
        var production = await Kustomize.ObjectsAsync("production");
        Assert.That(
            One(production, "RabbitmqCluster")["spec"]!["image"]!.ToString(),
            Is.EqualTo(rabbitmq.Groups[1].Value)
        );
        Assert.That(
            One(production, "Cluster")["spec"]!["imageName"]!.ToString(),
            Does.EndWith($"/postgresql:{postgres.Groups[1]}")
        );
    }

    [Test]
    public async Task RabbitMQ_has_the_settings_of_compose()
    {
        Assert.That(
            Repository.Read("deploy/kubernetes/demo/20-orders.conf"),
            Is.EqualTo(Repository.Read("deploy/rabbitmq/20-orders.conf"))
        );
        var cluster = One(await Kustomize.ObjectsAsync("production"), "RabbitmqCluster")["spec"]!["rabbitmq"]!;
        string[] expected =
        [
            .. Lines(Repository.Read("deploy/rabbitmq/20-orders.conf")),
            .. Lines(Repository.Read("deploy/cluster/30-cluster.conf"))
                .Where(line => line.StartsWith("cluster_partition_handling", StringComparison.Ordinal)),
        ];
        Assert.That(Lines(cluster["additionalConfig"]!.ToString()), Is.EquivalentTo(expected));
        var arguments = ErlangArguments().Match(Compose).Groups[1].Value;
        Assert.That(cluster["envConfig"]!.ToString(), Does.Contain($"\"{arguments}\""));
        Assert.That(Repository.Read("deploy/kubernetes/demo/rabbitmq.yaml"), Does.Contain(arguments));
    }

    [Test]
    public async Task PostgreSQL_has_the_settings_of_compose_and_a_standby_has_each_commit()
    {
        var own = One(await Kustomize.ObjectsAsync("production"), "Cluster")["spec"]!["postgresql"]!;
        var parameters = own["parameters"]!.AsObject();
        // Memory is larger than on one machine.
        string[] larger = ["shared_buffers", "effective_cache_size"];
        foreach (Match setting in Parameter().Matches(Compose))
        {
            var (name, value) = (setting.Groups[1].Value, setting.Groups[2].Value);
            Assert.That(parameters.ContainsKey(name), name);
            if (!larger.Contains(name))
                Assert.That(parameters[name]!.ToString(), Is.EqualTo(value), name);
        }

        Assert.That(parameters.Select(p => p.Key), Has.None.AnyOf("fsync", "synchronous_commit"));
        Assert.That(own["synchronous"]!["number"]!.GetValue<long>(), Is.EqualTo(1));
        Assert.That(own["synchronous"]!["dataDurability"]!.ToString(), Is.EqualTo("required"));
    }

    [Test]
    public async Task Every_step_is_scaled_by_its_own_queue_with_its_own_user()
    {
        var production = await Kustomize.ObjectsAsync("production");
        var scaled = production.Where(o => Pods.KindOf(o) == "ScaledObject").ToDictionary(Pods.NameOf);
        Assert.That(scaled.Keys, Is.EquivalentTo(StepNames));
        foreach (var (step, spec) in scaled.Select(s => (s.Key, s.Value["spec"]!)))
        {
            Assert.That(spec["scaleTargetRef"]!["name"]!.ToString(), Is.EqualTo(step));
            var triggers = spec["triggers"]!.AsArray();
            Assert.That(triggers[0]!["metadata"]!["queueName"]!.ToString(), Is.EqualTo(step));
            Assert.That(triggers[0]!["metadata"]!["host"]!.ToString(), Is.EqualTo("amqp://rabbitmq.orders.svc:5672"));
            string[] queries = [.. triggers.Skip(1).Select(t => t!["metadata"]!["query"]!.ToString())];
            Assert.That(queries, Has.Length.EqualTo(2), "age and wait");
            Assert.That(queries[0], Does.StartWith($"max(queueworkers_queue_age_seconds{{{Label("queue", step)}}})"));
            Assert.That(
                queries[1],
                Does.StartWith($"max(queueworkers_queue_messages{{{Label("queue", step)},state=\"ready\"}})")
            );
            foreach (var query in queries)
                Assert.That(
                    Selector().Matches(query).Select(m => m.Groups[1].Value),
                    Is.All.StartsWith(Label("queue", step)).Or.StartsWith(Label("step", step)),
                    "no metric of another step or of another installation"
                );
            var login = production.Single(o => Pods.KindOf(o) == "TriggerAuthentication" && Pods.NameOf(o) == step);
            Assert.That(
                login["spec"]!["secretTargetRef"]!.ToJsonString(),
                Is.EqualTo($$"""[{"key":"RabbitMq__Password","name":"orders-{{step}}","parameter":"password"}]""")
            );
        }
    }

    [Test]
    public async Task The_most_replicas_fit_into_the_connections_of_PostgreSQL()
    {
        var production = await Kustomize.ObjectsAsync("production");
        var workers = production
            .Where(o => Pods.KindOf(o) == "ScaledObject")
            .Sum(o => o["spec"]!["maxReplicaCount"]!.GetValue<long>());
        var api = One(production, "HorizontalPodAutoscaler")["spec"]!["maxReplicas"]!.GetValue<long>();
        var parameters = One(production, "Cluster")["spec"]!["postgresql"]!["parameters"]!;
        var most = int.Parse(parameters["max_connections"]!.ToString(), CultureInfo.InvariantCulture);
        var reserve = int.Parse(
            (await Pods.OfAsync("production"))[0].Environment["Database__Reserve"],
            CultureInfo.InvariantCulture
        );
        // docs/scaling.md, "Database connections": a worker opens 6, the API 20, the dashboard 16, `deploy` 4; 3 are for superusers.
        Assert.That((api * 20) + 16 + 4, Is.AtMost(reserve));
        Assert.That((workers * 6) + reserve, Is.AtMost(most - 3));
    }

    [TestCase("demo"), TestCase("production")]
    public async Task Pods_reach_what_their_networks_in_compose_reach(string overlay)
    {
        using var model = await ComposeConfig.ModelAsync(
            string.Concat(ComposeConfig.Required.Select(name => $"{name}=value-of-{name}\n"))
        );
        var services = model.RootElement.GetProperty("services");
        var policies = (await Kustomize.ObjectsAsync(overlay))
            .Where(o => Pods.KindOf(o) == "NetworkPolicy")
            .ToDictionary(Pods.NameOf, o => o["spec"]!);
        Assert.That(policies["default-deny"]["podSelector"]!.AsObject(), Is.Empty);
        Assert.That(policies["default-deny"]["policyTypes"]!.ToJsonString(), Is.EqualTo("""["Ingress","Egress"]"""));
        var pods = (await Pods.OfAsync(overlay)).Where(p => p.Name != "outside-world");
        Assert.Multiple(() =>
        {
            foreach (var pod in pods)
            {
                var networks = Networks(services, pod.Name == "deploy" ? "migrate" : pod.Name);
                Assert.That(IsIn(pod, "data"), Is.EqualTo(networks.Contains("data")), pod.Name);
                Assert.That(IsIn(pod, "application"), Is.EqualTo(networks.Contains("application")), pod.Name);
                Assert.That(IsIn(pod, "public"), Is.EqualTo(networks.Contains("public")), pod.Name);
                Assert.That(IsIn(pod, "metrics"), Is.EqualTo(pod.Kind == "Deployment"), pod.Name);
            }
        });

        bool IsIn(Pods pod, string policy) => pod.AreSelectedBy(policies[policy]["podSelector"]);
    }

    private static string Label(string name, string step) =>
        $"{Observability.ObservabilityFiles.OperatorLabel}{name}=\"{step}\"";

    private static string[] Networks(JsonElement services, string service) =>
        [.. services.GetProperty(service).GetProperty("networks").EnumerateObject().Select(n => n.Name)];

    private static JsonObject One(IEnumerable<JsonObject> objects, string kind) =>
        objects.Single(o => Pods.KindOf(o) == kind);

    private static async Task<IEnumerable<string>> ImagesAsync(string overlay) =>
        (await Kustomize.ObjectsAsync(overlay))
            .Where(o => Pods.KindOf(o) == "StatefulSet")
            .Select(o => o["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]!.ToString());

    private static string[] Lines(string settings) =>
        [
            .. settings
                .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.StartsWith('#')),
        ];

    [GeneratedRegex(@"image: (rabbitmq:\S+)")]
    private static partial Regex Image();

    [GeneratedRegex(@"image: postgres:(\d+)")]
    private static partial Regex PostgresImage();

    [GeneratedRegex("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: (.+)")]
    private static partial Regex ErlangArguments();

    [GeneratedRegex(@"- -c(\w+)=(\S+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\{([^}]*)\}")]
    private static partial Regex Selector();
}
