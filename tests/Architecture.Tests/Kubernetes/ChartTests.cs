using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>
/// The Helm chart has the objects of the overlay <c>production</c>, each as it is there, and its values change what they
/// say and nothing else.
/// </summary>
public sealed partial class ChartTests
{
    private const string Checksum = "checksum/settings";

    private static readonly string[] Optional =
    [
        "Cluster",
        "RabbitmqCluster",
        "ScaledObject",
        "TriggerAuthentication",
        "PodMonitor",
    ];

    private Chart _chart = null!;

    [SetUp]
    public async Task MakeAsync() => _chart = await Chart.MakeAsync();

    [TearDown]
    public void Remove() => _chart.Dispose();

    // Helm itself is in no registry that the gate may ask: it is asked where HELM names it.
    [Test]
    public async Task It_has_the_objects_of_kustomize()
    {
        await AssertObjectsOfKustomizeAsync(_chart.Render("orders"));
        if (Environment.GetEnvironmentVariable("HELM") is { Length: > 0 } helm)
            await AssertObjectsOfKustomizeAsync(await _chart.RenderByHelmAsync(helm, "orders"));
    }

    // Attack: a second installation in a namespace of its own. What names the first one would scale by its queues.
    [Test]
    public void Another_namespace_registry_and_version_are_everywhere()
    {
        _chart.Values["registry"] = "images.shop.example/team";
        _chart.Values["version"] = "1.2.3";
        var objects = _chart.Render("shop");
        Assert.That(objects.Select(o => o["metadata"]!["namespace"]!.ToString()), Is.All.EqualTo("shop"));
        var text = string.Concat(objects.Select(o => o.ToJsonString()));
        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Not.Contain(".orders.svc"));
            Assert.That(text, Does.Not.Contain("namespace=\\u0022orders\\u0022"));
            Assert.That(
                OwnImage().Matches(text).Select(m => m.Groups[1].Value).Distinct(),
                Is.All.Match(@"^images\.shop\.example/team/orders-\w+:1\.2\.3$")
            );
            Assert.That(OwnImage().Count(text), Is.EqualTo(8), "images of ours");
        });
    }

    [Test]
    public void A_changed_setting_is_in_its_ConfigMap_and_replaces_the_pods()
    {
        var before = Checksums(_chart.Render("orders"));
        _chart.Values["settings"]!["settings-email"]!["Email__Smtp__Host"] = "smtp.shop.example";
        // A value that YAML would take for something else.
        _chart.Values["settings"]!["settings-email"]!["Email__Smtp__Port"] = 465;
        var objects = _chart.Render("orders");
        var data = objects.Single(o => IsA(o, "ConfigMap", "settings-email"))["data"]!;
        Assert.Multiple(() =>
        {
            Assert.That(data["Email__Smtp__Host"]!.ToString(), Is.EqualTo("smtp.shop.example"));
            Assert.That(data["Email__Smtp__Port"]!.GetValue<string>(), Is.EqualTo("465"));
            Assert.That(before, Has.Length.EqualTo(7), "Deployments with the checksum");
            Assert.That(Checksums(objects), Has.None.AnyOf(before));
            Assert.That(objects.SelectMany(ObjectSchemas.ProblemsOf), Is.Empty);
        });
    }

    [Test]
    public void A_step_has_as_many_workers_as_the_values_say()
    {
        _chart.Values["workers"]!["email"]!["most"] = 3;
        var email = _chart.Render("orders").Single(o => IsA(o, "ScaledObject", "email"));
        Assert.That(email["spec"]!["maxReplicaCount"]!.GetValue<long>(), Is.EqualTo(3));
        Assert.That(email["spec"]!["minReplicaCount"]!.GetValue<long>(), Is.EqualTo(2));
    }

    [Test]
    public void Servers_scaling_and_monitoring_of_ones_own_leave_out_ours_and_nothing_else()
    {
        var all = _chart.Render("orders");
        Assert.That(all.Select(Pods.KindOf), Is.SupersetOf(Optional));
        foreach (var name in _chart.Values["create"]!.AsObject().Select(c => c.Key).ToArray())
            _chart.Values["create"]![name] = false;
        Assert.That(
            _chart.Render("orders").Select(o => o.ToJsonString()),
            Is.EquivalentTo(all.Where(o => !Optional.Contains(Pods.KindOf(o))).Select(o => o.ToJsonString()))
        );
    }

    private static async Task AssertObjectsOfKustomizeAsync(IReadOnlyList<JsonObject> rendered)
    {
        Assert.That(rendered.SelectMany(ObjectSchemas.ProblemsOf), Is.Empty);
        // Helm makes the namespace, and counts the Jobs.
        var expected = (await Kustomize.ObjectsAsync("production"))
            .Where(o => Pods.KindOf(o) != "Namespace")
            .Select(o => Hash().Replace(o.ToJsonString(), "\"$1\""))
            .Select(text => JsonNode.Parse(text)!.AsObject())
            .ToDictionary(o => Pods.KindOf(o) == "Job" ? "Job deploy-1" : $"{Pods.KindOf(o)} {Pods.NameOf(o)}");
        Assert.That(rendered.Select(o => $"{Pods.KindOf(o)} {Pods.NameOf(o)}"), Is.EquivalentTo(expected.Keys));
        Assert.Multiple(() =>
        {
            foreach (var found in rendered.Select(o => o.DeepClone().AsObject()))
            {
                var name = $"{Pods.KindOf(found)} {Pods.NameOf(found)}";
                if (Pods.KindOf(found) == "Job")
                    found["metadata"]!["name"] = "deploy";
                if (Pods.KindOf(found) == "Deployment")
                    Assert.That(Annotations(found).Remove(Checksum), Is.True, name);
                Assert.That(
                    JsonNode.DeepEquals(found, expected[name]),
                    Is.True,
                    $"{name}: {found.ToJsonString()}\nexpected: {expected[name].ToJsonString()}"
                );
            }
        });
    }

    private static string[] Checksums(IEnumerable<JsonObject> objects) =>
        [.. objects.Where(o => Pods.KindOf(o) == "Deployment").Select(o => Annotations(o)[Checksum]!.ToString())];

    private static JsonObject Annotations(JsonObject deployment) =>
        deployment["spec"]!["template"]!["metadata"]!["annotations"]!.AsObject();

    private static bool IsA(JsonObject found, string kind, string name) =>
        Pods.KindOf(found) == kind && Pods.NameOf(found) == name;

    [GeneratedRegex("\"(settings(?:-[a-z]+)?)-[a-z0-9]{10}\"")]
    private static partial Regex Hash();

    [GeneratedRegex("\"image\":\"([^\"]*/orders-[^\"]*)\"")]
    private static partial Regex OwnImage();
}
