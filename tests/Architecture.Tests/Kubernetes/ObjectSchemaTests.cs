namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>
/// Each object of both overlays is one that Kubernetes, or the operator of its kind, accepts. A wrong field fails.
/// </summary>
public sealed class ObjectSchemaTests
{
    [TestCase("demo"), TestCase("production")]
    public async Task Every_object_is_valid(string overlay)
    {
        var objects = await Kustomize.ObjectsAsync(overlay);
        Assert.That(objects, Has.Count.AtLeast(50));
        Assert.That(objects.SelectMany(ObjectSchemas.ProblemsOf), Is.Empty);
    }

    // Attack: a typing error, which kubectl kustomize passes on, and some servers drop without a word.
    [TestCase("base/email.yaml", "livenessProbe:", "livenessProb:", "livenessProb")]
    [TestCase("base/api.yaml", "minReplicas: 2", "minReplicas: two", "minReplicas")]
    [TestCase("base/api.yaml", "apiVersion: autoscaling/v2", "apiVersion: autoscaling/v9", "no schema")]
    [TestCase("base/deploy.yaml", "backoffLimit:", "backOffLimit:", "backOffLimit")]
    [TestCase("base/network-policies.yaml", "port: 5432", "prot: 5432", "prot")]
    [TestCase("operators/postgres.yaml", "instances: 3", "instnces: 3", "unknown field instnces")]
    [TestCase("operators/postgres.yaml", "max_connections: \"700\"", "max_connections: 700", "max_connections")]
    [TestCase("operators/rabbitmq.yaml", "replicas: 3", "replicas: three", "replicas")]
    [TestCase("operators/scaling.yaml", "queueName: email", "queue: email", "unknown field queue")]
    [TestCase("operators/monitoring.yaml", "interval: 15s", "interval: 15", "interval")]
    public async Task A_wrong_field_is_found(string file, string right, string wrong, string problem)
    {
        var objects = await Kustomize.BuildAsync(
            "production",
            copy =>
            {
                var path = Path.Combine(copy, file);
                var text = File.ReadAllText(path);
                Assert.That(text, Does.Contain(right));
                File.WriteAllText(path, text.Replace(right, wrong, StringComparison.Ordinal));
            }
        );
        Assert.That(objects.SelectMany(ObjectSchemas.ProblemsOf), Has.Some.Contains(problem));
    }
}
